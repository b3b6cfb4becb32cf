import { commands, type LogOutputChannel, window } from 'vscode';
import { ExecuteCommandRequest, State } from 'vscode-languageclient/node';

import { Client } from './client';
import { launchCommand } from './settings';
import type { Status, StatusItem } from './status';

/** The language server over its lives: one client at a time, and one message when it cannot be helped. */
export class Server {
    private client: Client | undefined;

    constructor(
        private readonly log: LogOutputChannel,
        private readonly statusItem: StatusItem,
    ) {}

    /** Also the way to start: a client that failed to start can never be started again, a new one can. */
    async restart(): Promise<void> {
        const old = this.client;
        const client = (this.client = this.connect());
        await old?.end();
        // Another restart may have come while the old server was leaving.
        if (this.client === client) {
            // Whatever goes wrong has been reported by then.
            await client.start().catch(() => {});
        }
    }

    async stop(): Promise<void> {
        const client = this.client;
        this.client = undefined;
        await client?.end();
    }

    /** What the server says of itself, or what is known of it when it does not run. */
    async status(): Promise<unknown> {
        return this.client?.isRunning()
            ? this.client.sendRequest(ExecuteCommandRequest.type, { command: 'mistralLsp.status', arguments: [] })
            : this.statusItem.latest;
    }

    /** Takes ghost text away, and lets the server know that it was not wanted here. */
    async dismiss(): Promise<void> {
        const editor = window.activeTextEditor;
        if (editor) {
            this.client?.tell('mistralLsp/didReject', editor.document, editor.selection.active);
        }
        await commands.executeCommand('editor.action.inlineSuggest.hide');
    }

    private connect(): Client {
        let ran = false;
        let failed = false;
        const client = new Client(this.log, () => {
            // One failure may show in several ways, and a client that was replaced is of no interest.
            if (!failed && this.client === client) {
                failed = true;
                void this.reportFailure(ran);
            }
        });
        client.onNotification('mistralLsp/status', (status: Status) => this.statusItem.show(status));
        client.onDidChangeState(({ newState }) => {
            ran ||= newState === State.Running;
            if (newState === State.Starting) {
                this.statusItem.show({ state: 'starting', message: 'The server starts.', engine: null, model: null });
            }
        });
        return client;
    }

    private async reportFailure(ran: boolean): Promise<void> {
        const message = ran
            ? 'The Mistral server keeps stopping and now stays off. The log says why.'
            : `The Mistral server "${launchCommand().command}" does not start. ` +
              'Install it with "pip install mistral-lsp", or set mistralLsp.path to where it is.';
        this.statusItem.show({ state: 'failed', message, engine: null, model: null });
        const choice = await window.showErrorMessage(message, 'Try Again', 'Open Settings', 'Show Log');
        if (choice === 'Try Again') {
            await this.restart();
        } else if (choice === 'Open Settings') {
            await commands.executeCommand('workbench.action.openSettings', 'mistralLsp.path');
        } else if (choice === 'Show Log') {
            this.log.show();
        }
    }
}
