/**
 * Compares the permissions of each task in deno.json with a table that gives the reasons for them, because JSON has no
 * comments.
 */

import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { endpointVariables, PROVIDERS } from "../../env/models/endpoints.ts";

/** The environment variables that tasks read, grouped by purpose. */
const VARIABLES = {
  /** The caller's directory, which every task reads. */
  caller: ["INIT_CWD"],
  dataset: ["TAU_BENCH_DIR", "TAU3_BENCH_DIR"],
  runs: ["TAULAB_RUNS"],
  /**
   * The variables of all providers, because a config may name any provider, and a variable with additional headers that
   * the package `openai` reads.
   */
  endpoints: [...PROVIDERS.flatMap(endpointVariables), "OPENAI_CUSTOM_HEADERS"],
  server: ["TAULAB_TOKEN"],
  router: ["TAULAB_ROUTER_KEY"],
  ray: ["RAY_AUTH_TOKEN"],
  /** The variables of tasks for slime. `HOME` is included because setup writes its manifest below it. */
  slime: [
    "TAULAB_TOKEN",
    "TAULAB_ROUTER_KEY",
    "RAY_AUTH_TOKEN",
    "WANDB_API_KEY",
    "HOME",
  ],
  /** The addresses and credentials of MLflow, W&B and trackio. */
  trackers: [
    "MLFLOW_TRACKING_URI",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "WANDB_API_KEY",
    "WANDB_BASE_URL",
    "WANDB_MODE",
    "TRACKIO_SERVER_URL",
    "TRACKIO_WRITE_TOKEN",
  ],
  download: ["HF_TOKEN"],
  jupyter: ["TAULAB_PYTHON", "VIRTUAL_ENV", "JUPYTER_PATH"],
};

/** The variables that packages read although no task needs them. `--ignore-env` makes them appear unset. */
const IGNORED = {
  /** Variables that make the package `yaml` print the actions of its parser. */
  yaml: ["LOG_TOKENS", "LOG_STREAM"],
  /**
   * A variable that makes the package `@lezer/lr` print its actions. The package parses Python sources, and tool calls
   * in Python syntax.
   */
  lezer: ["LOG"],
  /** A variable that adds headers to requests. The model server of `deno task bench` needs none. */
  openai: ["OPENAI_CUSTOM_HEADERS"],
};

/** The permissions of a task, in addition to reading files, which all tasks may do. */
interface Permissions {
  /** The paths that the task may write to. An empty string allows any path. */
  readonly write?: string;
  /** The programs that the task may start. */
  readonly run?: string;
  /** The hosts that the task may connect to or listen on. An empty string allows any host. */
  readonly net?: string;
  /** The kinds of system information that the task may read. */
  readonly sys?: string;
  readonly env?: readonly (keyof typeof VARIABLES)[];
  readonly ignored?: readonly (keyof typeof IGNORED)[];
}

/** Allows any host, because a model or a Ray cluster may be anywhere. */
const ANYWHERE = "";
const HOSTS = "sh,ssh";

const TASKS: Readonly<Record<string, Permissions>> = {
  audit: { write: "", env: ["dataset"], ignored: ["yaml"] },
  bench: {
    write: "",
    run: "deno,python3,sha256sum,cksum,dd,sync",
    net: "127.0.0.1",
    env: ["runs", "dataset"],
    ignored: ["openai", "yaml"],
  },
  chat: { env: ["runs", "dataset"], ignored: ["lezer", "yaml"] },
  completions: { ignored: ["openai", "lezer", "yaml"] },
  convert: { run: HOSTS, ignored: ["yaml"] },
  diagnose: {
    net: ANYWHERE,
    env: ["runs", "dataset", "endpoints"],
    ignored: ["yaml"],
  },
  doctor: {
    run: HOSTS,
    net: ANYWHERE,
    env: ["runs", "dataset", "endpoints", "slime"],
    ignored: ["lezer", "yaml"],
  },
  evaluate: {
    write: "",
    run: `deno,${HOSTS}`,
    net: ANYWHERE,
    env: ["runs", "dataset", "endpoints", "ray", "trackers"],
    ignored: ["lezer", "yaml"],
  },
  import: { write: "", run: "git", ignored: ["lezer"] },
  mock: { write: "", env: ["runs", "dataset"], ignored: ["lezer", "yaml"] },
  notebook: { write: "", run: "", net: "127.0.0.1", env: ["jupyter"] },
  replay: { env: ["dataset"] },
  serve: {
    write: "",
    net: ANYWHERE,
    sys: "networkInterfaces",
    env: ["runs", "dataset", "endpoints", "server", "router"],
    ignored: ["lezer", "yaml"],
  },
  setup: { run: HOSTS, env: ["download"], ignored: ["yaml"] },
  train: {
    write: "",
    run: HOSTS,
    net: ANYWHERE,
    env: ["runs", "dataset", "endpoints", "slime", "trackers"],
    ignored: ["lezer", "yaml"],
  },
  view: {
    write: "",
    net: "127.0.0.1,localhost,[::1],0.0.0.0,[::]",
    env: ["runs", "dataset", "server"],
    ignored: ["yaml"],
  },
};

/** Tasks that build and test taulab itself. */
const OTHERS = new Set(["build:wasm", "ok", "test", "test:update"]);

/** Returns the permission flags of a command. The names in each flag are sorted. */
function flagsOf(command: string): string[] {
  return command.split(" ").filter((word) => /^--(allow|ignore)-/.test(word))
    .map((word) => {
      const [flag = "", values] = word.split("=");
      return values === undefined ? flag : flagText(flag, values.split(","));
    }).sort();
}

function flagText(flag: string, values: readonly string[]): string {
  return values.join() === ""
    ? flag
    : `${flag}=${[...new Set(values)].sort().join()}`;
}

function expectedFlags(
  { write, run, net, sys, env = [], ignored }: Permissions,
): string[] {
  const lists = {
    write: write?.split(","),
    run: run?.split(","),
    net: net?.split(","),
    sys: sys?.split(","),
    env: ["caller" as const, ...env].flatMap((purpose) => VARIABLES[purpose]),
  };
  return [
    "--allow-read",
    ...Object.entries(lists).flatMap(([kind, values]) =>
      values === undefined ? [] : [flagText(`--allow-${kind}`, values)]
    ),
    ...(ignored === undefined ? [] : [
      flagText("--ignore-env", ignored.flatMap((name) => IGNORED[name])),
    ]),
  ].sort();
}

const commands = Object.entries(project.tasks)
  .filter(([name]) => !OTHERS.has(name));

Deno.test("every task of deno.json has exactly the permissions in the table", () => {
  assert.deepEqual(
    Object.fromEntries(
      commands.map(([name, { command }]) => [name, flagsOf(command)]),
    ),
    Object.fromEntries(
      Object.entries(TASKS).map(([name, all]) => [name, expectedFlags(all)]),
    ),
  );
});

Deno.test("every task of deno.json is tasks/NAME.ts and prompts for no permission", () => {
  for (const [name, { command }] of commands) {
    assert.match(command, /^deno run --no-prompt /);
    assert.ok(command.endsWith(` tasks/${name}.ts`), name);
  }
});

/** Returns the rows of the permission table in tasks/README.md, keyed by task. */
function tableRows(readme: string): Record<string, string[]> {
  const [, part = ""] = readme.split("## What each task may do");
  const rows = part.split("\n## ")[0]!.split("\n")
    .filter((line) => /^\| `/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  return Object.fromEntries(
    rows.map(([name = "", ...cells]) => [name, cells]),
  );
}

Deno.test("the table in tasks/README.md lists every task's permissions", async () => {
  const readme = await Deno.readTextFile(
    new URL("../../tasks/README.md", import.meta.url),
  );
  const list = (value: string | undefined) =>
    value === "" ? "all" : value?.split(",").join(", ") ?? "";
  const expected = await Promise.all(
    Object.entries(TASKS).map(async ([name, { write, run, net, env }]) => {
      const { task } = await import(`../../tasks/${name}.ts`);
      const isConfined = task.confine !== undefined;
      const writes = isConfined ? "named" : list(write);
      return [
        `\`${name}\`${isConfined ? "\\*" : ""}`,
        [writes, list(run), list(net), list(env?.join(","))],
      ];
    }),
  );
  assert.deepEqual(tableRows(readme), Object.fromEntries(expected));
});
