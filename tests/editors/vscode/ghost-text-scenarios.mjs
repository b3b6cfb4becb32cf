/** What happens to ghost text, from the key to the file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { ADD } from './add.mjs';
import { until } from './until.mjs';

const LONGER_THAN_A_REST_MS = 500;
const ADD_ACCEPTED = 'def add(a, b):\n    return a + b\n';

export const ghostTextScenarios = [
    {
        ...ADD,
        name: 'ghost text appears after typing, and Tab accepts it',
        file: 'accept.py',
        async play(editor) {
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            const mark = editor.log.mark();
            await editor.press('Tab');
            await editor.holds(ADD_ACCEPTED);
            await editor.log.received('mistralLsp/didAccept', mark);
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
        ...ADD,
        name: 'other answers are gone through by keys',
        file: 'others.py',
        async play(editor) {
            await editor.type('re');
            await editor.seesGhost('turn a + b');
            await editor.press('Alt+]');
            await editor.seesGhost('turn a - b');
            await editor.press('Alt+[');
            await editor.seesGhost('turn a + b');
            await editor.press('Alt+[');
            await editor.seesGhost('turn a - b');
            await editor.press('Tab');
            await editor.holds('def add(a, b):\n    return a - b\n');
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
];

function notebook(source) {
    const cell = { cell_type: 'code', execution_count: null, metadata: {}, outputs: [], source: [source] };
    const python = { kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' } };
    return JSON.stringify({ cells: [cell], metadata: python, nbformat: 4, nbformat_minor: 5 });
}

function cellSource(file) {
    return JSON.parse(readFileSync(file, 'utf8')).cells[0].source.join('');
}
