/**
 * How long ghost text takes from the key to the painted frame, the server's own time left out.
 * The times are only reported: they depend on the machine, and on what else it does.
 * Usage: latency.mjs PATH_TO_mistral-lsp
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Editor } from './editor.mjs';
import { Program } from './program.mjs';
import { ServerLog } from './server-log.mjs';
import { until } from './until.mjs';

const KEYS = 60;
/** What VS Code waits after each key before it asks anybody; only proposed API can shorten that. */
const WAIT_OF_VSCODE_MS = 50;
const RELAY = fileURLToPath(new URL('../relay.py', import.meta.url));

const numbers = [...Array(KEYS).keys()];
const server = process.argv[2];
const program = new Program(join(dirname(server), 'python'), (folder) => [
    RELAY, join(folder, 'record'), server,
    '--engine', 'scripted', '--log-file', join(folder, 'server.log'), '--log-level', 'debug',
]);
const record = join(program.folder, 'record');
try {
    const script = join(program.folder, 'script.json');
    const answers = numbers.map((number) => ({ after: `value${number} =`, answer: ` ${number} + 1\n` }));
    writeFileSync(script, JSON.stringify({ delay_ms: 0, answers }));
    await program.start({ MISTRAL_LSP_SCRIPT: script });
    const page = await program.openPage({ width: 1100, height: 640 });
    const log = new ServerLog(join(program.folder, 'server.log'));
    await log.received('initialized', 0);
    const editor = new Editor(page, program, log);
    await editor.open('latency.py', numbers.map((number) => `value${number} \n`).join(''));
    await editor.goTo(1, 1);
    const times = [];
    for (const number of numbers) {
        times.push(await measure(editor, ` ${number} + 1`));
        await editor.press('ArrowDown');
    }
    report(times);
} finally {
    await program.stop();
}

/** One key at the end of the line. */
async function measure(editor, expected) {
    await editor.press('End');
    await editor.seesGhost('');
    // As after any moment's thought: nothing of the move is left to do.
    await editor.page.waitForTimeout(250);
    const before = passed().length;
    const painted = await editor.page.evaluateHandle(watchForPaint);
    await editor.press('=');
    const total = await painted.evaluate(({ time }) => time);
    await editor.seesGhost(expected);
    const own = await until('the answer is recorded', 5_000, () => serverTime(passed().slice(before)));
    return { total, own };
}

/** In the page: from the key's event to the end of the first frame with ghost text in it. */
function watchForPaint() {
    const time = new Promise((resolve) => {
        addEventListener('keydown', ({ timeStamp }) => {
            const look = () => {
                if (document.querySelector('.ghost-text-decoration, .ghost-text')) {
                    // A message is handled behind the frame that is drawn now.
                    const { port1, port2 } = new MessageChannel();
                    port1.onmessage = () => resolve(performance.now() - timeStamp);
                    port2.postMessage(null);
                } else {
                    requestAnimationFrame(look);
                }
            };
            requestAnimationFrame(look);
        }, { capture: true, once: true });
    });
    return { time };
}

function passed() {
    return readFileSync(record, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line));
}

/** Between the request and its answer with text, in milliseconds. */
function serverTime(lines) {
    for (const { at, message } of lines.filter((line) => line.message.method === 'textDocument/inlineCompletion')) {
        const answer = lines.find((line) =>
            line.from === 'server' && line.message.id === message.id && line.message.result?.items?.length);
        if (answer) {
            return (answer.at - at) / 1e6;
        }
    }
    return undefined;
}

function report(times) {
    const added = times.map(({ total, own }) => total - own);
    const shown = (values) => `middle ${quantile(values, 0.5)} ms, 95th percentile ${quantile(values, 0.95)} ms`;
    console.log(`from key to paint: ${shown(times.map(({ total }) => total))}`);
    console.log(`the server's part: ${shown(times.map(({ own }) => own))}`);
    console.log(`without it: ${shown(added)}`);
    console.log(`without it and VS Code's own wait: ${shown(added.map((time) => time - WAIT_OF_VSCODE_MS))}`);
}

function quantile(values, share) {
    const sorted = [...values].sort((one, other) => one - other);
    return Number(sorted[Math.ceil(share * sorted.length) - 1].toFixed(1));
}
