import { Disposable, type TextDocument, type TextEditor, window, workspace } from 'vscode';

import type { Server } from './server';

const REST_MS = 150;

/** Tells the server where the cursor rests, so that it reads the text around before the first key. */
export class RestingCursor implements Disposable {
    private timer: NodeJS.Timeout | undefined;
    private told = '';
    private readonly subscriptions: Disposable;

    constructor(private readonly server: Server) {
        const moved = (): void => this.moved();
        this.subscriptions = Disposable.from(
            window.onDidChangeTextEditorSelection(moved),
            window.onDidChangeActiveTextEditor(moved),
            workspace.onDidSaveTextDocument((saved: TextDocument) => {
                this.told = saved === window.activeTextEditor?.document ? '' : this.told;
                moved();
            }),
            server.onReady(() => {
                this.told = '';
                moved();
            }),
        );
    }

    dispose(): void {
        clearTimeout(this.timer);
        this.subscriptions.dispose();
    }

    private moved(): void {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.tell(window.activeTextEditor), REST_MS);
    }

    private tell(editor: TextEditor | undefined): void {
        if (!editor) {
            return;
        }
        const { document, selection } = editor;
        const here = `${document.uri} ${document.version} ${selection.active.line}:${selection.active.character}`;
        if (here !== this.told) {
            this.told = here;
            this.server.notify('mistralLsp/didMoveCursor', document, selection.active);
        }
    }
}
