/** Makes a virtual environment of the extension's own, and installs the server into it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { type LogOutputChannel, window } from 'vscode';

import { activePython, firstExecutable, pathFolders } from './finder';
import { Cancelled, run, runWithProgress } from './process';
import { packageToInstall } from './settings';

const OLDEST = '3.10';
const NAMES = ['python3', 'python', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
const IS_FIT = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';

/** Whether the server is there now. What went wrong has been said by then. */
export async function installServer(environment: string, log: LogOutputChannel): Promise<boolean> {
    const python = await fitPython();
    if (!python) {
        void window.showErrorMessage(
            `Mistral needs Python ${OLDEST} or newer with venv and pip, and found none. ` +
            'On Debian and Ubuntu, "apt install python3-venv" brings both.',
        );
        return false;
    }
    const own = join(environment, 'bin', 'python');
    // The program itself is what pip writes last, so that a half-made environment is never taken for a whole one.
    const steps = [
        [python, '-m', 'venv', '--clear', environment],
        [own, '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', packageToInstall()],
    ] as const;
    try {
        await runWithProgress('Mistral is installed', steps, log);
        return true;
    } catch (error) {
        await rm(environment, { recursive: true, force: true });
        if (!(error instanceof Cancelled)) {
            await reportFailure(error, log);
        }
        return false;
    }
}

async function fitPython(): Promise<string | undefined> {
    const active = await activePython();
    const named = NAMES.map((name) => pathFolders().map((folder) => join(folder, name)));
    for (const group of [...(active ? [[active]] : []), ...named]) {
        const python = await firstExecutable(group);
        if (python && (await run([python, '-c', IS_FIT]).then(() => true, () => false))) {
            return python;
        }
    }
    return undefined;
}

async function reportFailure(error: unknown, log: LogOutputChannel): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    const choice = await window.showErrorMessage(`The Mistral server could not be installed: ${message}`, 'Show Log');
    if (choice) {
        log.show();
    }
}
