import assert from "node:assert/strict";
import { z } from "zod";
import {
  ConfigError,
  DataError,
  InfrastructureError,
  RunDirError,
} from "../../env/errors.ts";
import { explainIssue, nearest } from "../../env/schema_issue.ts";
import {
  errorText,
  exitCodeOf,
  parseFlags,
  type TaskDefinition,
} from "../../tasks/_cli.ts";
import {
  bytes,
  count,
  duration,
  percent,
} from "../../train/progress/amounts.ts";
import { table } from "../../train/progress/text_table.ts";
import { recipeKeys } from "../../tasks/_train_flags.ts";

const demo = {
  name: "demo",
  summary: "Show flags",
  flags: z.object({
    seed: z.int().min(0).default(1).describe("Seed of it all"),
    set: z.array(z.string()).default([]).meta({
      description: "Set a key",
      value: "KEY=VALUE",
    }),
    resume: z.union([z.literal(true), z.string()]).optional().meta({
      description: "Go on",
      value: "RUN",
      valueOptional: true,
    }),
    data: z.enum(["generated", "tau-bench"]).optional().meta({
      description: "Data",
    }),
    dryRun: z.boolean().default(false).describe("Only plan"),
    noOpen: z.boolean().default(false).describe("Open nothing"),
  }),
  examples: [{ command: "deno task demo --seed 2", does: "shows it" }],
  run: () => Promise.resolve({ json: {} }),
} satisfies TaskDefinition<z.ZodObject>;

function parse(...argv: string[]) {
  const parsed = parseFlags(demo, argv);
  assert.ok(parsed.help === undefined);
  return parsed;
}

function refusal(...argv: string[]): string {
  try {
    parse(...argv);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(exitCodeOf(error), 2);
    assert.equal(error.hint, 'see "deno task demo --help"');
    return error.message;
  }
  throw new assert.AssertionError({ message: "the flags were taken" });
}

Deno.test("parseFlags() reads numbers, lists, choices, switches and optional values", () => {
  const { flags } = parse(
    "--seed",
    "7",
    "--set",
    "a=1",
    "--set=b=2",
    "--resume",
    "--data",
    "tau-bench",
    "--dry-run",
    "--json",
  );
  assert.deepEqual(flags, {
    seed: 7,
    set: ["a=1", "b=2"],
    resume: true,
    data: "tau-bench",
    dryRun: true,
    noOpen: false,
  });
  assert.equal(parse("--no-open").flags.noOpen, true);
  assert.equal(parse("--resume", "r1").flags.resume, "r1");
});

Deno.test("parseFlags() fills in the schema's defaults", () => {
  assert.deepEqual(parse().flags, {
    seed: 1,
    set: [],
    dryRun: false,
    noOpen: false,
  });
});

Deno.test("parseFlags() suggests the nearest flag for an unknown one, however distant", () => {
  assert.match(
    refusal("--sed", "1"),
    /^Unknown flag "--sed"; did you mean "--seed"\?$/,
  );
  assert.match(refusal("--dryrun"), /did you mean "--dry-run"\?/);
  assert.match(
    refusal("--xyzzyplugh=3"),
    /^Unknown flag "--xyzzyplugh"; did you mean "--/,
  );
});

Deno.test("parseFlags() explains how to set a recipe key that was given as a flag", () => {
  const parseHint = (recipeKeys: readonly string[], ...argv: string[]) => {
    try {
      parseFlags({ ...demo, recipeKeys }, argv);
    } catch (error) {
      return (error as ConfigError).hint;
    }
    throw new assert.AssertionError({ message: "the flag was taken" });
  };
  const hintOf = (...argv: string[]) =>
    parseHint(["rl.steps", "eval.every", "rl.learningRate"], ...argv);
  const isKey = "set the recipe's key instead: ";
  assert.equal(hintOf("--steps", "3"), `${isKey}--set rl.steps=3`);
  assert.equal(
    parseHint(["coldStart.steps", "rl.steps"], "--steps", "3"),
    `${isKey}--set rl.steps=3, or --set coldStart.steps=3`,
  );
  assert.equal(hintOf("--lr=0.1"), `${isKey}--set rl.learningRate=0.1`);
  assert.equal(
    hintOf("--learning-rate"),
    `${isKey}--set rl.learningRate=VALUE`,
  );
  assert.equal(
    hintOf("--lr", "--json"),
    `${isKey}--set rl.learningRate=VALUE`,
  );
  assert.equal(hintOf("--depth", "3"), 'see "deno task demo --help"');
});

Deno.test("recipeKeys() returns the keys of the recipe that the command line names", async () => {
  const keysOf = async (...argv: string[]) => {
    const keys = await recipeKeys(argv);
    return keys.filter((key) => /[.](steps|learningRate)$/.test(key));
  };
  const cpu = await keysOf("--steps", "3");
  assert.ok(cpu.includes("rl.steps") && cpu.includes("coldStart.steps"));
  const slime = ["rollout.steps", "optimizer.learningRate"];
  assert.deepEqual(await keysOf("--recipe", "qwen3-4b", "--steps=3"), slime);
  assert.deepEqual(await keysOf("--recipe=qwen3-4b"), slime);
  assert.deepEqual(await keysOf("--recipe", "no-such-recipe"), cpu);
});

Deno.test("parseFlags() reports a flag's expected and actual value", () => {
  assert.match(
    refusal("--seed", "many"),
    /^--seed: expected number, got "many"$/,
  );
  assert.match(refusal("--seed", "1.5"), /^--seed: expected int, got 1.5$/);
  assert.match(refusal("--seed", "-1"), /^--seed: .*>=0, got -1$/);
  assert.match(
    refusal("--data", "foo"),
    /^--data: expected one of "generated"\|"tau-bench", got "foo"$/,
  );
  assert.match(refusal("--seed"), /needs a value/);
  assert.equal(
    refusal("stray"),
    'Unexpected argument "stray": deno task demo takes only flags',
  );
  assert.throws(
    () =>
      parseFlags({ ...demo, operands: { name: "RUN", description: "" } }, [
        "a",
        "b",
      ]),
    { message: 'Unexpected argument "b": deno task demo takes only one RUN' },
  );
});

Deno.test("parseFlags() returns help with every flag, its default and an example", () => {
  const { help } = parseFlags(demo, ["--help"]);
  assert.ok(help);
  for (
    const word of [
      "Show flags",
      "--seed <N>",
      "default: 1",
      "--set <KEY=VALUE>",
      "--resume [RUN]",
      "generated | tau-bench",
      "--dry-run",
      "--json",
      "Examples:",
      "deno task demo --seed 2",
    ]
  ) {
    assert.ok(help.includes(word), word);
  }
});

Deno.test("errorText() returns one line for the error and one for its hint, and the stack for bugs", () => {
  for (const kind of [ConfigError, DataError, RunDirError]) {
    assert.equal(errorText(new kind("It is full")), "error: It is full");
    assert.equal(
      errorText(new kind("It is full; of sand", { hint: "empty it" })),
      "error: It is full; of sand\nhint: empty it",
    );
  }
  const failure = { source: "model", hint: "start it" } as const;
  assert.equal(
    errorText(
      new InfrastructureError("No answer", { ...failure, kind: "connection" }),
    ),
    "error: No answer\nhint: start it",
  );
  for (
    const bug of [
      new TypeError("x is undefined"),
      new InfrastructureError("x is undefined", { ...failure, kind: "bug" }),
    ]
  ) {
    assert.match(
      errorText(bug),
      /^error: \w+Error: x is undefined\n[\s\S]*\nhint: report this bug in taulab/,
    );
  }
  assert.equal(
    errorText(
      new Deno.errors.NotCapable(
        'Requires write access to "x", run again with the --allow-write flag',
      ),
      "mock",
    ),
    'error: Requires write access to "x": deno task mock does not have that permission\n' +
      "hint: choose another path, or run the script with the permission: " +
      "deno run --allow-read --allow-env --allow-write tasks/mock.ts",
  );
  assert.equal(exitCodeOf(new RunDirError("")), 1);
});

Deno.test("nearest() counts a swap of adjacent letters as one edit", () => {
  assert.equal(nearest("setps", ["seatp", "steps"]), "steps");
  assert.equal(nearest("GROUPSIZE", ["groups", "groupSize"]), "groupSize");
  assert.equal(nearest("a", []), undefined);
});

Deno.test("explainIssue() truncates long values", () => {
  const { error } = z.string().safeParse(Array(100).fill("long"));
  const text = explainIssue(error!.issues[0]!, Array(100).fill("long"));
  assert.match(text, /^expected string, got .{1,90}\.\.\.$/);
});

Deno.test("table() aligns words left and numbers right", () => {
  assert.equal(
    table([["name", "n"], ["a", "1,000"], ["long one", "20"]]),
    "name          n\n────────  ─────\na         1,000\nlong one     20",
  );
});

Deno.test("units are formatted as people write them", () => {
  assert.deepEqual([0.25, 59.6, 185, 3723, NaN].map(duration), [
    "0.3 s",
    "1 min 00 s",
    "3 min 05 s",
    "1 h 02 min",
    "?",
  ]);
  assert.deepEqual([512, 1536, 3 * 2 ** 30].map(bytes), [
    "512 B",
    "1.5 KiB",
    "3.0 GiB",
  ]);
  assert.equal(count(18204.4), "18,204");
  assert.equal(percent(0.625), "62.5%");
});
