/** Puts the extension together: the server, the status item, the commands, and what a changed setting leads to. */
import { type ExtensionContext, Uri, window, workspace } from 'vscode';

import { Commands } from './commands';
import { Pages } from './pages';
import { Server } from './server';
import { LAUNCH_SETTINGS, SECTION } from './settings';
import { StatusItem } from './status';

let server: Server | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
    const log = window.createOutputChannel('Mistral', { log: true });
    const statusItem = new StatusItem();
    const pages = new Pages();
    const environment = Uri.joinPath(context.globalStorageUri, 'server').fsPath;
    const running = (server = new Server(log, statusItem, environment));

    context.subscriptions.push(
        log,
        statusItem,
        pages,
        ...new Commands(running, statusItem, pages, log).register(),
        workspace.onDidChangeConfiguration(async (change) => {
            if (LAUNCH_SETTINGS.some((name) => change.affectsConfiguration(`${SECTION}.${name}`))) {
                await running.restart();
            }
        }),
    );
    await running.restart();
}

export async function deactivate(): Promise<void> {
    await server?.stop();
}
