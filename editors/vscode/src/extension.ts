import { commands, EventEmitter, type ExtensionContext, Uri, window, workspace } from 'vscode';

import { Server } from './server';
import { LAUNCH_SETTINGS, SECTION, toggleEnabled } from './settings';
import { StatusItem } from './status';

const STATUS_PAGE = Uri.parse('mistral-lsp:Mistral%20status.json');

let server: Server | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
    const log = window.createOutputChannel('Mistral', { log: true });
    const statusItem = new StatusItem();
    const statusPageChanged = new EventEmitter<Uri>();
    const running = (server = new Server(log, statusItem));

    context.subscriptions.push(
        log,
        statusItem,
        statusPageChanged,
        workspace.registerTextDocumentContentProvider(STATUS_PAGE.scheme, {
            onDidChange: statusPageChanged.event,
            provideTextDocumentContent: async () => JSON.stringify(await running.status(), null, 2),
        }),
        commands.registerCommand('mistralLsp.showStatus', async () => {
            statusPageChanged.fire(STATUS_PAGE);
            await window.showTextDocument(STATUS_PAGE, { preview: true });
        }),
        commands.registerCommand('mistralLsp.restart', () => running.restart()),
        commands.registerCommand('mistralLsp.toggleEnabled', toggleEnabled),
        commands.registerCommand('mistralLsp.dismiss', () => running.dismiss()),
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
