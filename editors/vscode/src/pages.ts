/** Pages that the extension writes and nobody edits, each shown beside the code it is about. */
import { type Disposable, EventEmitter, Uri, ViewColumn, window, workspace } from 'vscode';

const SCHEME = 'mistral-lsp';

export class Pages implements Disposable {
    private readonly texts = new Map<string, string>();
    private readonly changed = new EventEmitter<Uri>();
    private readonly registration = workspace.registerTextDocumentContentProvider(SCHEME, {
        onDidChange: this.changed.event,
        provideTextDocumentContent: (uri) => this.texts.get(uri.path) ?? '',
    });

    /** A page with the same title is written anew. */
    async show(title: string, text: string, column = ViewColumn.Active): Promise<void> {
        const uri = Uri.from({ scheme: SCHEME, path: title });
        this.texts.set(uri.path, text);
        this.changed.fire(uri);
        await window.showTextDocument(uri, { preview: true, viewColumn: column });
    }

    dispose(): void {
        this.registration.dispose();
        this.changed.dispose();
    }
}
