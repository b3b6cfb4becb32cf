/** VS Code itself: code-server in a folder of its own with our extension in it, and a browser that shows it. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { until } from './until.mjs';

const extension = fileURLToPath(new URL('../../../editors/vscode/', import.meta.url));
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mistral-lsp-editors');
const codeServer = join(cache, 'code-server/node_modules/code-server/out/node/entry.js');
const { chromium } = createRequire(join(extension, 'package.json'))('playwright-core');

const LOOPBACK = /^(127\.0\.0\.1|localhost|::1)$/;
const NOWHERE = 'http://127.0.0.1:9/';

/** Nothing that moves, asks or phones, so that what is on the screen is the file and the ghost text. */
const QUIET_SETTINGS = {
    'chat.disableAIFeatures': true,
    'editor.inlineSuggest.enabled': true,
    'editor.minimap.enabled': false,
    'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
    'extensions.autoCheckUpdates': false,
    'extensions.autoUpdate': 'off',
    'extensions.ignoreRecommendations': true,
    'git.enabled': false,
    'npm.fetchOnlinePackageInfo': false,
    'security.workspace.trust.enabled': false,
    'telemetry.telemetryLevel': 'off',
    'update.mode': 'none',
    'workbench.editor.limit.enabled': true,
    'workbench.editor.limit.value': 1,
    'workbench.enableExperiments': false,
    'workbench.hover.delay': 3_600_000,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.startupEditor': 'none',
};

const QUIET_FLAGS = [
    '--disable-telemetry',
    '--disable-update-check',
    '--disable-getting-started-override',
    '--disable-workspace-trust',
];
const QUIET_BROWSER_FLAGS = [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
];

export class Program {
    /** The new folder in /tmp that holds everything of this run. */
    folder = mkdtempSync(join(tmpdir(), 'mistral-lsp-vscode-'));
    workspace = join(this.folder, 'workspace');
    models = join(this.folder, 'größere Modelle');
    #strayRequests = [];

    constructor(server, serverArguments) {
        this.server = server;
        this.launchSettings = {
            'mistralLsp.path': server,
            'mistralLsp.arguments': serverArguments(this.folder),
            'mistralLsp.keepLoadedSeconds': 0,
        };
        for (const name of ['workspace', 'screenshots', 'user/User', 'user/Machine']) {
            mkdirSync(join(this.folder, name), { recursive: true });
        }
        writeFileSync(join(this.folder, 'user/User/settings.json'), JSON.stringify(QUIET_SETTINGS, null, 4));
        this.changeSettings({});
    }

    /**
     * Our settings, with these changes and none of earlier ones. They are in the file for this machine: it may hold
     * those of scope `machine`, which the user's own may not, since the browser is not the machine; and it is watched.
     */
    changeSettings(changes) {
        writeFileSync(this.#settingsFile, JSON.stringify({ ...this.launchSettings, ...changes }, null, 4));
    }

    /** What that file holds now, the editor's own changes with it. */
    settings() {
        return JSON.parse(readFileSync(this.#settingsFile, 'utf8'));
    }

    get #settingsFile() {
        return join(this.folder, 'user/Machine/settings.json');
    }

    async start(environment) {
        this.port = await freePort();
        const common = [
            codeServer,
            '--user-data-dir', join(this.folder, 'user'),
            '--extensions-dir', join(this.folder, 'extensions'),
        ];
        const env = (this.environment = {
            ...process.env,
            ...environment,
            XDG_CONFIG_HOME: join(this.folder, 'config'),
            NODE_OPTIONS: `--require=${fileURLToPath(new URL('record-connections.cjs', import.meta.url))}`,
            CONNECTIONS_LOG: join(this.folder, 'connections.log'),
            EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: NOWHERE, itemUrl: NOWHERE, resourceUrlTemplate: NOWHERE }),
        });
        const vsix = join(extension, 'mistral-lsp.vsix');
        execFileSync(process.execPath, [...common, '--install-extension', vsix], { env, stdio: 'pipe' });

        const log = openSync(join(this.folder, 'code-server.log'), 'a');
        // A process group of its own, because code-server leaves children behind when only it is ended.
        this.process = spawn(
            process.execPath,
            [...common, ...QUIET_FLAGS, '--auth', 'none', '--bind-addr', `127.0.0.1:${this.port}`, this.workspace],
            { env, stdio: ['ignore', log, log], detached: true },
        );
        closeSync(log);
        await until('code-server listens', 30_000, () =>
            fetch(`http://127.0.0.1:${this.port}/healthz`).then((answer) => answer.ok, () => false));
    }

    /** A page with the workspace open. */
    async openPage(viewport) {
        this.browser = await chromium.launch({
            executablePath: execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim(),
            args: QUIET_BROWSER_FLAGS,
        });
        this.context = await this.browser.newContext({ viewport });
        this.context.on('request', (request) => {
            const { protocol, hostname } = new URL(request.url());
            if (/^(http|ws)s?:$/.test(protocol) && !LOOPBACK.test(hostname)) {
                this.#strayRequests.push(request.url());
            }
        });
        return this.openWindow();
    }

    /** One more window of the same editor. */
    async openWindow() {
        const page = await this.context.newPage();
        await page.goto(`http://127.0.0.1:${this.port}/?folder=${encodeURIComponent(this.workspace)}`);
        await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
        return page;
    }

    async stop() {
        await this.browser?.close();
        if (this.process?.exitCode === null && this.process.signalCode === null) {
            const gone = new Promise((resolve) => this.process.once('exit', resolve));
            process.kill(-this.process.pid, 'SIGTERM');
            await gone;
        }
    }

    /** Where the browser or a process of code-server tried to go outside this machine. */
    strayConnections() {
        const targets = readFileSync(join(this.folder, 'connections.log'), 'utf8').split('\n').filter(Boolean);
        assert.ok(targets.length, 'no connection was recorded, so the record is broken');
        return [...this.#strayRequests, ...targets.filter((target) => !LOOPBACK.test(target))];
    }
}

function freePort() {
    return new Promise((resolve) => {
        const probe = createServer().listen(0, '127.0.0.1', () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });
}
