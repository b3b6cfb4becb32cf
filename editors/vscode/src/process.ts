/** Runs a program to its end, line by line, where the user can see how far it is and stop it. */
import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';

import { type LogOutputChannel, ProgressLocation, window } from 'vscode';

export class Cancelled extends Error {}

/** Resolves with what it wrote to stdout. A failure's message is the last line that it wrote. */
export async function runWithProgress(
    title: string,
    commands: readonly (readonly [string, ...string[]])[],
    log: LogOutputChannel,
): Promise<void> {
    const options = { location: ProgressLocation.Notification, title, cancellable: true };
    await window.withProgress(options, async (progress, token) => {
        for (const command of commands) {
            if (token.isCancellationRequested) {
                throw new Cancelled();
            }
            await run(command, (line) => {
                log.info(line);
                progress.report({ message: line });
            }, (stop) => token.onCancellationRequested(stop));
        }
    });
}

/** Resolves with what the program wrote to stdout. */
export async function run(
    [program, ...given]: readonly [string, ...string[]],
    onLine: (line: string) => void = () => {},
    onStop: (stop: () => void) => unknown = () => {},
): Promise<string> {
    // Windows looks for a command in the working folder first, so that must not be the workspace.
    const child = spawn(program, given, { cwd: homedir(), stdio: ['ignore', 'pipe', 'pipe'] });
    const written: string[] = [];
    let last = '';
    let stopped = false;
    onStop(() => {
        stopped = true;
        child.kill();
    });
    for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
            if (stream === child.stdout) {
                written.push(line);
            }
            last = line.trim() || last;
            onLine(line);
        });
    }
    return new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => {
            if (code === 0) {
                resolve(written.join('\n'));
            } else {
                reject(stopped ? new Cancelled() : new Error(last || `${program} ended with ${code}`));
            }
        });
    });
}
