import assert from "node:assert/strict";
import type { z } from "zod";
import { parseFlags, type TaskDefinition } from "../../tasks/_cli.ts";
import { configKeys } from "../../train/config/config.ts";
import { evaluationSchema } from "../../train/evaluation/evaluation_config.ts";
import { blocksOf, readDocuments, ROOT } from "../support/documents.ts";

const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)) as {
  tasks: Record<string, { command: string }>;
};

/** A command that begins with `deno task NAME`, from a document or from the examples of a task. */
interface Command {
  readonly where: string;
  readonly name: string;
  readonly argv: readonly string[];
}

/** The definitions of the tasks that are modules in `tasks/`, keyed by task name. */
const definitions = new Map<string, TaskDefinition<z.ZodObject>>();
for (const [name, { command }] of Object.entries(tasks)) {
  const [, file] = /(tasks\/\w+\.ts)$/.exec(command) ?? [];
  if (file === undefined) continue;
  const module = await import(new URL(`../../${file}`, import.meta.url).href);
  definitions.set(name, module.task);
}

/** Returns the `deno task` commands in a line of shell code, without the text around them. */
function commandsIn(line: string, where: string): Command[] {
  return [...line.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z:]+)([^;]*)/g)].map((
    [, name = "", rest = ""],
  ) => ({ where, name, argv: words(rest) }));
}

/**
 * Splits a command into words. Removes quotes, and everything from the first comment, pipe or `&&` on. Replaces each
 * variable with `1`.
 */
function words(text: string): string[] {
  const [command = ""] = text.replace(/\$\{[^}]*\}|\$\w+/g, "1")
    .split(/\s[#|]|&&/);
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, a, b) => a ?? b)
  );
}

/**
 * The commands in code blocks of documents, and the commands with flags in running text. In running text, `N` stands
 * for any number.
 */
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

Deno.test("commands in documents and --help name existing tasks and flags", () => {
  assert.ok(documented.length >= 60 && examples.length >= 40);
  for (const { where, name, argv } of [...documented, ...examples]) {
    const command = `${where}: deno task ${name} ${argv.join(" ")}`;
    assert.ok(name in tasks, command);
    const task = definitions.get(name);
    if (task === undefined) continue;
    assert.doesNotThrow(() => parseFlags(task, argv), command);
  }
});

Deno.test("config keys in documents exist", () => {
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
