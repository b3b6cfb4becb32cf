/**
 * From a machine without the server to ghost text in three actions, with a real installation and the embedded model.
 * Usage: fresh.mjs PATH_TO_mistral-lsp, whose folder is left out of PATH
 */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Editor } from './editor.mjs';
import { Program } from './program.mjs';
import { ServerLog } from './server-log.mjs';
import { until } from './until.mjs';

const INSTALLATION_MS = 8 * 60 * 1000;
const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url));
const SCREENSHOT = 'the server is offered';

const program = new Program('', (folder) => ['--log-file', join(folder, 'server.log'), '--log-level', 'debug']);
program.launchSettings['mistralLsp.package'] = PACKAGE;
program.changeSettings({});
console.log(`screenshots and logs: ${program.folder}`);

const began = performance.now();
const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
try {
    // The first action has been taken: the extension is installed.
    await program.start({ PATH: pathWithoutServer(), PYTHONPATH: '' });
    const page = await program.openPage({ width: 1100, height: 640 });
    const log = new ServerLog(join(program.folder, 'server.log'));
    const editor = new Editor(page, program, log);
    await editor.seesState('warning');

    // The second: a click.
    const install = page.getByRole('button', { name: 'Install', exact: true });
    await install.waitFor();
    await editor.screenshot(SCREENSHOT);
    await install.click();
    await editor.seesMessage('Mistral is installed');
    await until('the installed server starts', INSTALLATION_MS, () => log.count('initialized', 0) > 0);
    console.log(`installed (${seconds()})`);

    // The third: to type.
    await editor.open('fresh.py', 'import json\n\n\ndef load(path):\n    with open(path) as file:\n        \n');
    await editor.seesState('sparkle');
    await editor.goTo(6, 9);
    await editor.type('re');
    const ghost = await until('ghost text', 30_000, () => editor.ghost());
    assert.ok(ghost.length > 1, ghost);
    await editor.screenshot('fresh');
    console.log(`ok    from a fresh machine to ghost text in three actions (${seconds()})`);
} finally {
    await program.stop();
}

function pathWithoutServer() {
    const own = dirname(process.argv[2]);
    return process.env.PATH.split(':').filter((folder) => folder !== own).join(':');
}
