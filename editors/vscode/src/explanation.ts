/** Writes what the model is told at a place as a page to read. */

interface Part {
    label: string;
    tokens: number;
    why: string;
    text: string;
}

/** The server's answer to `mistralLsp.explain`. */
export interface Explanation {
    reason?: string | null;
    model: string;
    engine: string;
    form: string;
    tokens: number;
    working_window: number;
    parts: Part[];
}

export function explanationPage(explanation: Explanation): string {
    if (explanation.reason) {
        return `Nothing is offered here: ${explanation.reason}.\n`;
    }
    const { model, engine, form, tokens, working_window: window, parts } = explanation;
    const heading = `${model} on ${engine}, form ${form}\n${tokens} tokens in a window of ${window}`;
    return [heading, ...parts.map(partText)].join('\n\n') + '\n';
}

function partText({ label, tokens, why, text }: Part): string {
    const heading = ['── ' + label, tokens === 1 ? '1 token' : `${tokens} tokens`, why].filter(Boolean).join(' · ');
    return [heading, text].filter(Boolean).join('\n');
}
