/** Bundles the extension into one file, beside the licences of all that went into it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

const { metafile } = await build({
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    external: ['vscode'],
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    bundle: true,
    minify: true,
    metafile: true,
    logLevel: 'warning',
});

const inputs = Object.keys(metafile.inputs);
const packages = new Set(inputs.map((path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
writeFileSync('dist/LICENSES.txt', [...packages].sort().map(notice).join('\n\n'));

function notice(folder) {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) {
        throw new Error(`${folder} has no licence file to pass on`);
    }
    return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}`;
}
