// Names the files that stylua would format otherwise. Its package for Node is a library without a command.
//
//   node stylua.mjs FOLDER_WITH_THE_PACKAGE SETTINGS.toml FILE...
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, settings, ...files] = process.argv.slice(2);
const { Config, IndentType, OutputVerification, formatCode } = createRequire(`${folder}/`)("@johnnymorganz/stylua");

const enumerations = { indent_type: IndentType };
const given = [...readFileSync(settings, "utf8").matchAll(/^(\w+) = (.*)$/gm)];

// Formatting consumes its settings.
function newConfig() {
    const config = Config.new();
    for (const [, name, value] of given) {
        const plain = JSON.parse(value);
        config[name] = enumerations[name]?.[plain] ?? plain;
    }
    return config;
}

for (const file of files) {
    const text = readFileSync(file, "utf8");
    if (formatCode(text, newConfig(), undefined, OutputVerification.None) !== text) {
        console.log(`${file} is not formatted`);
        process.exitCode = 1;
    }
}
