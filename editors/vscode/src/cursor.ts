/** Where the cursor rests. */
import {
    Disposable,
    type DocumentSelector,
    languages,
    type Position,
    type TextDocument,
    window,
    workspace,
} from 'vscode';

const REST_MS = 100;

interface Place {
    document: TextDocument;
    version: number;
    position: Position;
}

/** Notices where the cursor rests, so that the server can read that place before the first key. */
export class Cursor implements Disposable {
    private readonly listeners: Disposable;
    private timer: NodeJS.Timeout | undefined;
    /** The place that the server heard of last. */
    private known: Place | undefined;

    constructor(
        private readonly documents: DocumentSelector,
        private readonly onRest: (document: TextDocument, position: Position) => void,
    ) {
        this.listeners = Disposable.from(
            window.onDidChangeActiveTextEditor(() => this.wait()),
            window.onDidChangeTextEditorSelection(({ textEditor }) => this.follow(textEditor.document)),
            workspace.onDidOpenTextDocument((document) => this.follow(document)),
            workspace.onDidChangeTextDocument(({ document }) => this.follow(document)),
            workspace.onDidSaveTextDocument((document) => this.follow(document)),
            workspace.onDidCloseTextDocument((document) => {
                if (document === this.known?.document) {
                    this.known = undefined;
                }
            }),
        );
    }

    /** A request names its place as well, so there is nothing left to tell of it. */
    know(document: TextDocument, position: Position): void {
        this.known = { document, version: document.version, position };
    }

    /** To be called when a server begins, which knows of no place. */
    forget(): void {
        this.known = undefined;
        this.wait();
    }

    dispose(): void {
        clearTimeout(this.timer);
        this.listeners.dispose();
    }

    /** Documents in which there is no cursor, such as logs, may change all the time. */
    private follow(document: TextDocument): void {
        if (document === window.activeTextEditor?.document) {
            this.wait();
        }
    }

    private wait(): void {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.rest(), REST_MS);
    }

    private rest(): void {
        const editor = window.activeTextEditor;
        if (!editor || !languages.match(this.documents, editor.document)) {
            return;
        }
        const { document, selection } = editor;
        if (!this.isKnown(document, selection.active)) {
            this.know(document, selection.active);
            this.onRest(document, selection.active);
        }
    }

    private isKnown(document: TextDocument, position: Position): boolean {
        const { known } = this;
        return known?.document === document && known.version === document.version && known.position.isEqual(position);
    }
}
