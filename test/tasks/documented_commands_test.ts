import assert from "node:assert/strict";
import type { z } from "zod";
import { parseFlags, type TaskDefinition } from "../../tasks/_cli.ts";
import { configKeys } from "../../train/config/config.ts";
import { evaluationSchema } from "../../train/evaluation/evaluation_config.ts";
import { blocksOf, readDocuments, ROOT } from "../support/documents.ts";

const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)) as {
  tasks: Record<string, { command: string }>;
};

/** `deno task NAME WORDS`, as a document or a task's examples have it. */
interface Command {
  readonly where: string;
  readonly name: string;
  readonly argv: readonly string[];
}

/** The definition of each task that is a module of ours. */
const definitions = new Map<string, TaskDefinition<z.ZodObject>>();
for (const [name, { command }] of Object.entries(tasks)) {
  const [, file] = /(tasks\/\w+\.ts)$/.exec(command) ?? [];
  if (file === undefined) continue;
  const module = await import(new URL(`../../${file}`, import.meta.url).href);
  definitions.set(name, module.task);
}

/** The commands of a line of a shell, without what stands before and behind them. */
function commandsIn(line: string, where: string): Command[] {
  return [...line.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z:]+)([^;]*)/g)].map((
    [, name = "", rest = ""],
  ) => ({ where, name, argv: words(rest) }));
}

/** The words of a command: quotes are taken off, variables are 1, comments and what is piped on are left out. */
function words(text: string): string[] {
  const [command = ""] = text.replace(/\$\{[^}]*\}|\$\w+/g, "1")
    .split(/\s[#|]|&&/);
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, a, b) => a ?? b)
  );
}

/** In blocks, and with a flag between ticks, where `N` stands for a number. */
const documented: Command[] = (await readDocuments()).flatMap((document) => {
  const blocks = ["sh", "console"].flatMap((language) =>
    blocksOf(document, language)
  );
  const ticked = [...document.text.matchAll(/`(deno task [^`]* --[^`]+)`/g)]
    .map(([, line = ""]) => line.replace(/\bN\b/, "1").replaceAll("\n", " "));
  return [...blocks.join("\n").replaceAll("\\\n", "").split("\n"), ...ticked]
    .flatMap((line) => commandsIn(line, document.path));
});
const examples: Command[] = [...definitions.values()].flatMap((task) =>
  task.examples.flatMap(({ command }) =>
    commandsIn(command, `deno task ${task.name} --help`)
  )
);

Deno.test("commands of documents and of --help are those of a task, with flags that it takes", () => {
  assert.ok(documented.length >= 60 && examples.length >= 40);
  for (const { where, name, argv } of [...documented, ...examples]) {
    const command = `${where}: deno task ${name} ${argv.join(" ")}`;
    assert.ok(name in tasks, command);
    const task = definitions.get(name);
    if (task === undefined) continue;
    assert.doesNotThrow(() => parseFlags(task, argv), command);
  }
});

Deno.test("keys that documents set are those of a config", () => {
  const known = new Set(
    [...configKeys(), ...configKeys(evaluationSchema)].map(({ key }) => key),
  );
  for (const { where, name, argv } of documented) {
    if (name !== "train" && name !== "evaluate") continue;
    for (const [i, word] of argv.entries()) {
      if (word !== "--set") continue;
      const [key = ""] = argv[i + 1]!.split("=");
      assert.ok(known.has(key), `${where}: --set ${argv[i + 1]}`);
    }
  }
});
