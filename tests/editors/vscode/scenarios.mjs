/**
 * The scenarios: a file as it is opened, where the cursor is (line and column from 1), what the scripted engine writes
 * after which text, and what happens.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { Editor } from './editor.mjs';
import { until } from './until.mjs';

const ADD = {
    text: 'def add(a, b):\n    \n',
    cursor: [2, 5],
    script: { after: 'def add(a, b):\n    ', answer: 'return a + b' },
};
const LONGER_THAN_A_REST_MS = 500;
const ADD_ACCEPTED = 'def add(a, b):\n    return a + b\n';

export const scenarios = [
    {
        ...ADD,
        name: 'ghost text appears after typing, and Tab accepts it',
        file: 'accept.py',
        async play(editor) {
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            await editor.press('Tab');
            await editor.holds(ADD_ACCEPTED);
        },
    },
    {
        name: 'several lines are shown and accepted',
        file: 'lines.py',
        text: 'def width(shape):\n    \n    return shape.width\n',
        cursor: [2, 5],
        script: { after: 'def width(shape):\n    ', answer: 'if shape is None:\n        return 0' },
        async play(editor) {
            await editor.type('if');
            await editor.seesGhost(' shape is None:\n        return 0');
            await editor.press('Tab');
            await editor.holds(this.text.replace('\n    \n', `\n    ${this.script.answer}\n`));
        },
    },
    {
        ...ADD,
        name: 'Ctrl+Right accepts one word',
        file: 'word.py',
        async play(editor) {
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            await editor.press('Control+ArrowRight');
            await editor.seesGhost(' a + b');
            await editor.holds('def add(a, b):\n    return\n');
        },
    },
    {
        name: 'one line of several is accepted by a key of ours',
        file: 'line.py',
        text: 'def depth(shape):\n    \n    return shape.depth\n',
        cursor: [2, 5],
        script: { after: 'def depth(shape):\n    ', answer: 'if shape is None:\n        return 0' },
        async play(editor) {
            await editor.type('if');
            await editor.seesGhost(' shape is None:\n        return 0');
            await editor.press('Control+Alt+ArrowRight');
            await editor.holds('def depth(shape):\n    if shape is None:\n\n    return shape.depth\n');
        },
    },
    {
        ...ADD,
        name: 'Escape dismisses for good, and leaves the text as it was typed',
        file: 'dismiss.py',
        async play(editor) {
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            const mark = editor.log.mark();
            await editor.press('Escape');
            await editor.seesGhost('');
            await editor.holds('def add(a, b):\n    re\n');
            await editor.log.received('mistralLsp/didReject', mark);
            const dismissed = editor.log.mark();
            await editor.type('x');
            await editor.press('Backspace');
            await until('the place is asked about again', 5_000, () =>
                editor.log.count('textDocument/inlineCompletion', dismissed) >= 2);
            await editor.seesNoGhostFor(500);
        },
    },
    {
        ...ADD,
        name: 'typing through ghost text keeps it right in every frame',
        file: 'through.py',
        async play(editor) {
            await editor.type('r');
            await editor.seesGhost('eturn a + b');
            const stop = await editor.watchLine('return a + b');
            await editor.type('eturn a');
            await editor.seesGhost(' + b');
            assert.deepEqual(await stop(), [], 'the line differed from the full text in some frames');
            await editor.press('Tab');
            await editor.holds(ADD_ACCEPTED);
        },
    },
    {
        name: 'typing on cancels the request before',
        file: 'cancel.py',
        text: 'numbers = [\n    \n]\n',
        cursor: [2, 5],
        script: {
            after: 'numbers = [\n    ',
            // Long enough that the engine is still writing when the next key comes.
            answer: '1, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97',
        },
        async play(editor) {
            const mark = editor.log.mark();
            await editor.type('1');
            await editor.log.received('textDocument/inlineCompletion', mark);
            await editor.type(', 2');
            await editor.log.received('$/cancelRequest', mark);
            await editor.seesGhost(this.script.answer.slice('1, 2'.length));
            const methods = editor.log.methods(mark);
            const keystroke = methods.slice(0, methods.indexOf('$/cancelRequest'));
            const changes = keystroke.filter((method) => method === 'textDocument/didChange');
            assert.equal(changes.length, 2, `the cancel did not come right behind its change: ${methods}`);
        },
    },
    {
        ...ADD,
        name: 'the server hears where the cursor rests, once, and not of what it is asked about',
        file: 'rest.py',
        async play(editor) {
            const rests = () => editor.log.count('mistralLsp/didMoveCursor', mark);
            await editor.page.waitForTimeout(LONGER_THAN_A_REST_MS);
            const mark = editor.log.mark();
            for (const key of ['Home', 'ArrowUp', 'ArrowDown', 'ArrowDown']) {
                await editor.press(key);
            }
            await editor.log.received('mistralLsp/didMoveCursor', mark);
            await editor.press('ArrowUp');
            await editor.press('End');
            await until('the second rest', 5_000, () => rests() === 2);
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            await editor.page.waitForTimeout(LONGER_THAN_A_REST_MS);
            assert.equal(rests(), 2);
        },
    },
    {
        name: 'after an emoji and Chinese the text goes to the right place',
        file: 'wide.py',
        text: 'crab = "🦀 漢字"; \n',
        cursor: [1, 16],
        script: { after: '漢字"; ', answer: 'size = len(crab)' },
        async play(editor) {
            await editor.goTo(1, 9);
            await editor.type('🦀字');
            await editor.press('End');
            await editor.type('si');
            await editor.seesGhost('ze = len(crab)');
            await editor.press('Tab');
            await editor.holds('crab = "🦀字🦀 漢字"; size = len(crab)\n');
        },
    },
    {
        name: 'a bracket that the editor closed is not doubled',
        file: 'bracket.py',
        text: 'total = add\n',
        cursor: [1, 12],
        script: { after: 'total = add', answer: '(1, 2)' },
        async play(editor) {
            await editor.type('(');
            await editor.seesGhost('1, 2');
            await editor.press('Tab');
            await editor.holds('total = add(1, 2)\n');
        },
    },
    {
        ...ADD,
        name: 'undo after accepting restores exactly what was there',
        file: 'undo.py',
        async play(editor) {
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            await editor.press('Tab');
            await editor.holds(ADD_ACCEPTED);
            await editor.press('Control+Z');
            await editor.holds('def add(a, b):\n    re\n');
        },
    },
    {
        ...ADD,
        name: 'a notebook cell has ghost text',
        file: 'cell.ipynb',
        text: notebook(ADD.text),
        cursor: undefined,
        async play(editor) {
            await editor.page.locator('.notebookOverlay .cell .monaco-editor .view-line').nth(1).click();
            await editor.press('End');
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            await editor.press('Tab');
            await editor.seesGhost('');
            await editor.press('Control+S');
            await until('the cell to be saved', 5_000, () => cellSource(editor.file) === ADD_ACCEPTED);
        },
    },
    {
        ...ADD,
        name: 'the status bar says what runs and leads to what the server says of itself',
        file: 'status.py',
        async play(editor) {
            await editor.seesState('sparkle');
            assert.match(await editor.statusBar().locator('a').getAttribute('aria-label'), /scripted/);
            await editor.choose('Show Statistics');
            await editor.page.locator('.view-lines', { hasText: '"engine": "scripted"' }).waitFor();
        },
    },
    {
        name: 'the walkthrough opens, and leads to the menu',
        async play(editor) {
            await editor.run('Mistral: Get Started');
            const step = (title) => editor.page.locator('.getting-started-step', { hasText: title });
            await step('Install the server').waitFor();
            await step('Have it your way').click();
            await editor.screenshot(`${this.name} (1)`);
            await editor.page.getByRole('button', { name: 'Show Menu' }).click();
            await editor.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Explain' }).waitFor();
            await editor.press('Escape');
        },
    },
    {
        ...ADD,
        name: 'what the model is told is explained',
        file: 'explain.py',
        async play(editor) {
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            await editor.choose('Explain This Suggestion');
            await editor.page.locator('.view-lines', { hasText: 'script on scripted' }).waitFor({ timeout: 10_000 });
            await editor.screenshot(`${this.name} (1)`);
            await editor.press('Control+W');
        },
    },
    {
        ...ADD,
        name: 'one language is switched off, and on again',
        file: 'language.py',
        async play(editor) {
            await editor.choose('Turn Off for python');
            await editor.seesState('circle-slash');
            await editor.type('r');
            await editor.seesNoGhostFor(1_000);
            await editor.choose('Turn On for python');
            await editor.seesState('sparkle');
            await editor.type('e');
            await editor.seesGhost('turn a + b');
        },
    },
    {
        ...ADD,
        name: 'the model is loaded anew without a new server',
        file: 'reload.py',
        async play(editor) {
            const before = editor.log.serverProcess();
            const mark = editor.log.mark();
            await editor.choose('Reload Model');
            await editor.log.received('workspace/executeCommand', mark);
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            assert.equal(editor.log.serverProcess(), before);
        },
    },
    {
        ...ADD,
        name: 'switched off there is no ghost text, switched on there is',
        file: 'switch.py',
        async play(editor) {
            await editor.run('Mistral: Turn Ghost Text On or Off');
            await editor.seesState('circle-slash');
            await editor.type('r');
            await editor.seesNoGhostFor(1_000);
            await editor.run('Mistral: Turn Ghost Text On or Off');
            await editor.seesState('sparkle');
            await editor.type('e');
            await editor.seesGhost('turn a + b');
        },
    },
    {
        ...ADD,
        name: 'two windows have a server each and share one engine',
        file: 'windows.py',
        async play(editor) {
            const { log } = editor;
            const mark = log.mark();
            const page = await editor.program.openWindow();
            try {
                await log.received('initialized', mark);
                assert.equal(log.serverProcesses().length, 2);
                const other = new Editor(page, editor.program, log);
                await other.open('other-window.py', this.text);
                await other.goTo(...this.cursor);
                await other.type('re');
                await other.seesGhost('turn a + b');
                assert.equal(await hostOf(other), await hostOf(editor));
            } finally {
                await page.close();
            }
            await until('its server has gone', 20_000, () => log.serverProcesses().length === 1);
        },
    },
    {
        ...ADD,
        name: 'a wrong setting is named on the screen, and the server lives',
        file: 'setting.py',
        async play(editor) {
            editor.program.changeSettings({ 'mistralLsp.maxTokens': 'many' });
            await editor.seesMessage('maxTokens');
            await editor.type('re');
            await editor.seesGhost('turn a + b');
        },
    },
    {
        ...ADD,
        name: 'a server that is killed comes back',
        file: 'killed.py',
        async play(editor) {
            const mark = editor.log.mark();
            process.kill(editor.log.serverProcess(), 'SIGKILL');
            await editor.log.received('textDocument/didOpen', mark);
            await editor.type('re');
            await editor.seesGhost('turn a + b');
        },
    },
    {
        ...ADD,
        name: 'a server that dies again and again stays off until it is wanted',
        file: 'dying.py',
        async play(editor) {
            const { log } = editor;
            const start = log.mark();
            await editor.run('Mistral: Restart Server');
            await log.received('initialized', start);
            for (const livesLeft of [4, 3, 2, 1, 0]) {
                const death = log.mark();
                process.kill(log.serverProcess(), 'SIGKILL');
                await (livesLeft ? log.received('initialized', death) : editor.seesMessage('keeps stopping'));
            }
            const mark = log.mark();
            await editor.page.getByRole('button', { name: 'Try Again' }).click();
            await log.received('textDocument/didOpen', mark);
            await editor.goTo(...this.cursor);
            await editor.type('re');
            await editor.seesGhost('turn a + b');
        },
    },
    {
        ...ADD,
        name: 'a server that is not there is said so, and editing goes on',
        file: 'missing.py',
        async play(editor) {
            editor.program.changeSettings({ 'mistralLsp.path': '/nowhere/mistral-lsp' });
            await editor.seesMessage('"/nowhere/mistral-lsp" does not start');
            await editor.seesState('warning');
            await editor.type('re');
            await editor.holds('def add(a, b):\n    re\n');
            await editor.screenshot(`${this.name} (1)`);
            const mark = editor.log.mark();
            editor.program.changeSettings({});
            await editor.log.received('textDocument/didOpen', mark);
            await editor.type('t');
            await editor.seesGhost('urn a + b');
        },
    },
    {
        name: 'nothing was asked of any other machine',
        async play(editor) {
            assert.deepEqual(editor.program.strayConnections(), []);
        },
    },
];

/** Which process runs the model, by the statistics. */
async function hostOf(editor) {
    await editor.choose('Show Statistics');
    const line = editor.page.locator('.view-line', { hasText: '"host_pid"' });
    await line.waitFor({ timeout: 10_000 });
    const [pid] = (await line.textContent()).match(/\d+/);
    return Number(pid);
}

function notebook(source) {
    const cell = { cell_type: 'code', execution_count: null, metadata: {}, outputs: [], source: [source] };
    const python = { kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' } };
    return JSON.stringify({ cells: [cell], metadata: python, nbformat: 4, nbformat_minor: 5 });
}

function cellSource(file) {
    return JSON.parse(readFileSync(file, 'utf8')).cells[0].source.join('');
}
