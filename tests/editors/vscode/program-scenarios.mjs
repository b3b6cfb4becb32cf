/** What the extension says and offers around ghost text, and what happens when something is wrong. */
import assert from 'node:assert/strict';

import { ADD } from './add.mjs';
import { Editor } from './editor.mjs';
import { until } from './until.mjs';

export const programScenarios = [
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
                const host = await shownHost(other);
                // The page may still hold what an earlier scenario saw.
                await until('the same engine', 10_000, async () => (await shownHost(editor)) === host);
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
async function shownHost(editor) {
    await editor.choose('Show Statistics');
    const line = editor.page.locator('.view-line', { hasText: '"host_pid"' });
    await line.waitFor({ timeout: 10_000 });
    const [pid] = (await line.textContent()).match(/\d+/);
    return Number(pid);
}
