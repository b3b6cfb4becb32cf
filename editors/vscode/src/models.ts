/** Lets the user choose among the models that the server's own command line knows, and downloads what is missing. */
import { type LogOutputChannel, type QuickPickItem, window } from 'vscode';

import { Cancelled, run, runWithProgress } from './process';
import type { Server } from './server';
import { chosenModel, useModel } from './settings';

interface Model {
    name: string;
    parameters: number;
    gigabytes: number;
    licence: string;
    here: boolean;
    /** Whether it is the one in use where the editor's settings name none. */
    used: boolean;
}

const OTHER_FILE = '$(folder-opened) Another GGUF file…';

export async function chooseModel(server: Server, log: LogOutputChannel): Promise<void> {
    const command = await server.command();
    if (!command) {
        return;
    }
    try {
        const output = await run([command, 'models', 'list', '--json']);
        const { models } = JSON.parse(output) as { models: Model[] };
        const items: (QuickPickItem & { model?: Model })[] = models.map(described);
        const picked = await window.showQuickPick([...items, { label: OTHER_FILE }], { title: 'Mistral: Model' });
        if (picked?.label === OTHER_FILE) {
            await chooseFile();
        } else if (picked?.model) {
            await take(picked.model, command, log);
        }
    } catch (error) {
        if (!(error instanceof Cancelled)) {
            void window.showErrorMessage(`Mistral: ${error instanceof Error ? error.message : String(error)}`);
        }
    }
}

async function take({ name, here }: Model, command: string, log: LogOutputChannel): Promise<void> {
    if (!here) {
        await runWithProgress(`Mistral downloads ${name}`, [[command, 'models', 'pull', name]], log);
    }
    await useModel(name);
}

async function chooseFile(): Promise<void> {
    const [file] = (await window.showOpenDialog({ filters: { 'GGUF models': ['gguf'] } })) ?? [];
    if (file) {
        await useModel(file.fsPath);
    }
}

function described(model: Model): QuickPickItem & { model: Model } {
    const chosen = chosenModel();
    const isUsed = chosen ? model.name === chosen : model.used;
    return {
        model,
        label: `$(${model.here ? 'check' : 'cloud-download'}) ${model.name}`,
        description: `${model.parameters} billion parameters, ${model.gigabytes} GB, ${model.licence}`,
        detail: model.here ? (isUsed ? 'is in use' : 'is on this machine') : 'is downloaded when you choose it',
    };
}
