/** Servers on this machine that play others: a model server with several models, and the hub that models come from. */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const EMBEDDED = fileURLToPath(new URL('../../../mistral_lsp/models/mistral-lsp-tiny-fim-q5_0.gguf', import.meta.url));

/** A server of OpenAI's completions. Each of its models writes `turn` and its own name. */
export function playModelServer(...models) {
    return play(async (request, response) => {
        if (request.url === '/v1/models') {
            response.end(JSON.stringify({ data: models.map((id) => ({ id })) }));
        } else if (request.url === '/v1/completions') {
            const { model, stream } = JSON.parse(await textOf(request));
            const answer = JSON.stringify({ choices: [{ text: `turn ${model}`, finish_reason: 'stop' }] });
            response.end(stream ? `data: ${answer}\n\ndata: [DONE]\n\n` : answer);
        } else {
            response.writeHead(404).end('{}');
        }
    });
}

/** Every file of this hub is the embedded model. */
export function playHub() {
    return play((request, response) => {
        response.writeHead(200, { 'Content-Length': statSync(EMBEDDED).size });
        createReadStream(EMBEDDED).pipe(response);
    });
}

/** Resolves with the server's address and the function that ends it. */
function play(answer) {
    return new Promise((resolve) => {
        const server = createServer(answer).listen(0, '127.0.0.1', () => {
            resolve({
                url: `http://127.0.0.1:${server.address().port}`,
                close() {
                    server.close();
                    server.closeAllConnections();
                },
            });
        });
    });
}

async function textOf(request) {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) {
        text += piece;
    }
    return text;
}
