/** Finds the server's program: where the user says, in our own environment, on PATH, in the active Python environment. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';

import { extensions, type Uri, workspace } from 'vscode';

import { givenPath } from './settings';

export const PROGRAM = 'mistral-lsp';

/** The part of the Python extension's interface that is used here. */
interface PythonExtension {
    environments: {
        getActiveEnvironmentPath(): { path: string };
        resolveEnvironment(path: { path: string }): Promise<{ executable: { uri?: Uri } } | undefined>;
    };
}

/** The program to start, or nothing where there is none. What the user names is taken at their word. */
export async function findServer(ownEnvironment: string): Promise<string | undefined> {
    const given = givenPath();
    if (given) {
        return given;
    }
    const python = await activePython();
    const folders = [join(ownEnvironment, 'bin'), ...pathFolders(), ...(python ? [dirname(python)] : [])];
    return firstExecutable(folders.map((folder) => join(folder, PROGRAM)));
}

/** A relative folder on PATH would be looked for in whatever folder is the current one. */
export function pathFolders(): string[] {
    return (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
}

export async function firstExecutable(candidates: readonly string[]): Promise<string | undefined> {
    for (const candidate of candidates) {
        if (await access(candidate, constants.X_OK).then(() => true, () => false)) {
            return candidate;
        }
    }
    return undefined;
}

/** The interpreter that the Python extension has chosen. It may lie in the workspace, so that has to be trusted. */
export async function activePython(): Promise<string | undefined> {
    const extension = extensions.getExtension<PythonExtension>('ms-python.python');
    if (!extension || !workspace.isTrusted) {
        return undefined;
    }
    try {
        const { environments } = await extension.activate();
        const found = await environments.resolveEnvironment(environments.getActiveEnvironmentPath());
        return found?.executable.uri?.fsPath;
    } catch {
        // Another extension's failure is for that one to report.
        return undefined;
    }
}
