/** Runs every scenario in one VS Code and one browser, or those named so. Usage: driver.mjs PATH_TO_mistral-lsp [PART_OF_NAME] */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { Editor } from './editor.mjs';
import { ghostTextScenarios } from './ghost-text-scenarios.mjs';
import { modelScenarios } from './model-scenarios.mjs';
import { playHub } from './played-servers.mjs';
import { Program } from './program.mjs';
import { programScenarios } from './program-scenarios.mjs';
import { ServerLog } from './server-log.mjs';

/** What the scripted engine takes to write one byte. */
const DELAY_MS = 5;

const all = [...ghostTextScenarios, ...modelScenarios, ...programScenarios];
const scenarios = all.filter(({ name }) => name.includes(process.argv[3] ?? ''));

const program = new Program(process.argv[2], (folder) => [
    '--engine', 'scripted', '--log-file', join(folder, 'server.log'), '--log-level', 'debug',
]);
console.log(`screenshots and logs: ${program.folder}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => program.stop().then(() => process.exit(1)));
}

const hub = await playHub();
const results = [];
try {
    const editor = await start();
    for (const scenario of scenarios) {
        results.push(await attempt(editor, scenario));
    }
} catch (error) {
    results.push(fails('the editor and the server start', error));
} finally {
    await program.stop();
    hub.close();
}
const failed = results.filter((passed) => !passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

async function start() {
    const script = join(program.folder, 'script.json');
    const answers = scenarios.flatMap((scenario) => scenario.script ?? []);
    writeFileSync(script, JSON.stringify({ delay_ms: DELAY_MS, answers }));
    await program.start({ MISTRAL_LSP_SCRIPT: script, HF_ENDPOINT: hub.url, MISTRAL_LSP_MODELS: program.models });
    const log = new ServerLog(join(program.folder, 'server.log'));
    const page = await program.openPage({ width: 1100, height: 640 });
    await log.received('initialized', 0);
    return new Editor(page, program, log);
}

async function attempt(editor, scenario) {
    const began = performance.now();
    const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
    try {
        if (scenario.file) {
            await editor.open(scenario.file, scenario.text);
        }
        if (scenario.cursor) {
            await editor.goTo(...scenario.cursor);
        }
        await scenario.play(editor);
        console.log(`ok    ${scenario.name} (${seconds()})`);
        return true;
    } catch (error) {
        return fails(`${scenario.name} (${seconds()})`, error);
    } finally {
        await editor.screenshot(scenario.name);
        program.changeSettings({});
    }
}

function fails(what, error) {
    const message = stripVTControlCharacters(error.message).trimEnd();
    console.log(`FAIL  ${what}\n      ${message.replaceAll('\n', '\n      ')}`);
    return false;
}
