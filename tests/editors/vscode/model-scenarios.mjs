/** A model is chosen: of this machine, of a hub, of a model server. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ADD } from './add.mjs';
import { playModelServer } from './played-servers.mjs';
import { PATIENCE_MS, until } from './until.mjs';

const QUANTISED = 'mistral-7b-instruct-v0.2:Q4_0';
const FILE = 'mistral-7b-instruct-v0.2.Q4_0.gguf';

export const modelScenarios = [
    {
        ...ADD,
        name: 'a model is chosen from the list, and the server takes it',
        file: 'model.py',
        async play(editor) {
            const mark = editor.log.mark();
            await editor.choose('Choose Model');
            await row(editor, 'mistral-7b-v0.1:Q4_K_M').filter({ hasText: 'is downloaded when you choose it' }).waitFor();
            await editor.screenshot(`${this.name} (1)`);
            await row(editor, 'mistral-lsp-tiny-fim').filter({ hasText: 'is in use' }).click();
            await editor.log.received('workspace/didChangeConfiguration', mark);
            assert.equal(editor.program.settings()['mistralLsp.model'], 'mistral-lsp-tiny-fim');
            await editor.type('re');
            await editor.seesGhost('turn a + b');
        },
    },
    {
        text: ADD.text,
        cursor: ADD.cursor,
        name: 'a model is downloaded when it is chosen, writes, and is removed',
        file: 'download.py',
        async play(editor) {
            const { program } = editor;
            const file = join(program.models, FILE);
            await restartWith(editor, { 'mistralLsp.arguments': withoutEngine(program) });
            await editor.seesState('sparkle');
            await chooseAmong(editor, 'mistral-lsp-tiny-fim');
            await editor.type(QUANTISED);
            await row(editor, QUANTISED).filter({ hasText: 'is downloaded when you choose it' }).click();
            await until('the model is chosen', PATIENCE_MS, () => program.settings()['mistralLsp.model'] === QUANTISED);
            assert.ok(existsSync(file));
            await editor.seesState('sparkle');
            await chooseAmong(editor, 'mistral-lsp-tiny-fim');
            await editor.type(QUANTISED);
            await row(editor, QUANTISED).filter({ hasText: 'is in use' }).waitFor();
            await editor.press('Escape');
            await editor.goTo(...this.cursor);
            await editor.type('re');
            await until('ghost text', PATIENCE_MS, () => editor.ghost());

            execFileSync(program.server, ['models', 'remove', QUANTISED], { env: program.environment });
            assert.ok(!existsSync(file));
            await editor.choose('Reload Model');
            await editor.seesState('warning');
            await restartWith(editor, {});
        },
    },
    {
        text: ADD.text,
        cursor: ADD.cursor,
        name: 'a model of a server is chosen from its list, and writes at once',
        file: 'server.py',
        async play(editor) {
            const { program } = editor;
            const server = await playModelServer('one', 'two');
            try {
                await restartWith(editor, {
                    'mistralLsp.arguments': withoutEngine(program),
                    'mistralLsp.httpUrl': server.url,
                });
                await editor.seesState('warning');
                await editor.goTo(...this.cursor);
                await editor.type('re');
                for (const name of ['two', 'one']) {
                    await editor.choose('Choose Model');
                    await row(editor, name).click();
                    await editor.statusBar().locator(`a[aria-label*="${name} on openai"]`).waitFor();
                    assert.equal(program.settings()['mistralLsp.httpModel'], name);
                    await editor.press('Backspace');
                    await editor.type('e');
                    await editor.seesGhost(`turn ${name}`);
                    await editor.screenshot(`${this.name} (${name})`);
                }
            } finally {
                server.close();
            }
            await editor.choose('Choose Model');
            await editor.seesMessage("can't be reached");
            await editor.page.getByRole('button', { name: 'Enter a Name' }).click();
            await editor.type('three');
            await editor.press('Enter');
            await until('it is set', PATIENCE_MS, () => program.settings()['mistralLsp.httpModel'] === 'three');
            await restartWith(editor, {});
        },
    },
];

/** Opens the list, and waits until it has this model. */
async function chooseAmong(editor, name) {
    await editor.choose('Choose Model');
    await row(editor, name).waitFor();
}

function row(editor, name) {
    return editor.page.locator('.quick-input-widget .monaco-list-row', { hasText: name });
}

/** Without an engine among the arguments, the settings choose it. */
function withoutEngine(program) {
    const given = program.launchSettings['mistralLsp.arguments'];
    return given.slice(given.indexOf('--log-file'));
}

/** Changes the arguments, for which the extension starts a new server. */
async function restartWith(editor, settings) {
    const mark = editor.log.mark();
    editor.program.changeSettings(settings);
    await editor.log.received('textDocument/didOpen', mark);
}
