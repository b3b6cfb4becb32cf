/** Lets the user choose among the models that the server offers, and downloads what is missing. */
import { type LogOutputChannel, type QuickPickItem, window } from 'vscode';

import { Cancelled, runWithProgress } from './process';
import type { Server } from './server';
import { useModel } from './settings';

/** A model of this machine, or one that can be downloaded to it. */
interface KnownModel {
    name: string;
    used: boolean;
    parameters: number;
    gigabytes: number;
    licence: string;
    here: boolean;
}

/** A model of the model server in the settings. */
interface ServersModel {
    name: string;
    used: boolean;
}

/** The answer to the command `mistralLsp.models`: the models, and the setting that names the chosen one. */
export type Offer =
    | { setting: 'model'; models: KnownModel[]; problem: string }
    | { setting: 'httpModel'; models: ServersModel[]; problem: string };

interface Choice extends QuickPickItem {
    take: () => Promise<void>;
}

/** Why there is no list, though a model may still be named. */
class NoList extends Error {}

const ENTER_NAME = 'Enter a Name';

export async function chooseModel(server: Server, log: LogOutputChannel): Promise<void> {
    try {
        // The box opens at once, so that no key that is meant for it reaches the document.
        const picked = await window.showQuickPick(choices(server, log), { title: 'Mistral: Model' });
        await picked?.take();
    } catch (error) {
        if (error instanceof NoList) {
            await explain(error.message);
        } else if (!(error instanceof Cancelled)) {
            void window.showErrorMessage(`Mistral: ${error instanceof Error ? error.message : String(error)}`);
        }
    }
}

/** A server that lists no models may have some all the same. */
async function explain(problem: string): Promise<void> {
    if ((await window.showWarningMessage(`Mistral: ${problem}`, ENTER_NAME)) === ENTER_NAME) {
        await enterName();
    }
}

async function choices(server: Server, log: LogOutputChannel): Promise<Choice[]> {
    const offer = await server.models();
    if (!offer) {
        throw new Error('the server does not run. Restart it, then choose a model.');
    }
    if (offer.problem) {
        throw new NoList(offer.problem);
    }
    if (offer.setting === 'httpModel') {
        return [
            ...offer.models.map(({ name, used }) => ({
                label: `$(server) ${name}`,
                detail: used ? 'is in use' : '',
                take: () => useModel('httpModel', name),
            })),
            { label: '$(edit) Another name…', take: enterName },
        ];
    }
    return [
        ...offer.models.map((model) => ({ ...described(model), take: () => takeKnown(model, server, log) })),
        { label: '$(folder-opened) Another GGUF file…', take: chooseFile },
    ];
}

function described(model: KnownModel): QuickPickItem {
    return {
        label: `$(${model.here ? 'check' : 'cloud-download'}) ${model.name}`,
        description: `${model.parameters} billion parameters, ${model.gigabytes} GB, ${model.licence}`,
        detail: model.here ? (model.used ? 'is in use' : 'is on this machine') : 'is downloaded when you choose it',
    };
}

async function takeKnown({ name, here }: KnownModel, server: Server, log: LogOutputChannel): Promise<void> {
    const command = await server.command();
    if (!here && !command) {
        throw new Error(`the program that downloads ${name} is not found. Set mistralLsp.path to it.`);
    }
    if (!here && command) {
        await runWithProgress(`Mistral downloads ${name}`, [[command, 'models', 'pull', name]], log);
    }
    await useModel('model', name);
}

async function chooseFile(): Promise<void> {
    const [file] = (await window.showOpenDialog({ filters: { 'GGUF models': ['gguf'] } })) ?? [];
    if (file) {
        await useModel('model', file.fsPath);
    }
}

async function enterName(): Promise<void> {
    const name = await window.showInputBox({ title: 'Mistral: Model', prompt: "The model's name on the server" });
    if (name?.trim()) {
        await useModel('httpModel', name.trim());
    }
}
