/** `deno task view`: serves a page that shows runs and result files, or exports episodes to a single offline file. */

import { FILTER_FIELDS } from "../train/runs/episode_facts.ts";
import { z } from "zod";
import denoConfig from "../deno.json" with { type: "json" };
import { ConfigError } from "../env/errors.ts";
import { viewerApp } from "../notebooks/viewer/app.ts";
import { diagnosisFindings } from "../notebooks/viewer/diagnosis_finder.ts";
import {
  collect,
  type ExportChoice,
  exportedPage,
} from "../notebooks/viewer/export.ts";
import { readChoice } from "../notebooks/viewer/export_choice.ts";
import { Library } from "../notebooks/viewer/library.ts";
import { ResultsSource } from "../notebooks/viewer/results_source.ts";
import {
  type EpisodeSource,
  ViewerFault,
} from "../notebooks/viewer/viewer_source.ts";
import { isLoopback } from "../env/serve/loopback.ts";
import { writeFileAtomic, writing } from "../train/runs/storage.ts";
import { anyPath, runOrFile } from "./_caller_paths.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import { LOCAL_WORK, writesFiles } from "./_confine.ts";
import { aborted, listen, shutDown, tokenOf, urlOf } from "./_serving.ts";
import { runsFlag, tau3BenchFlag, tauBenchFlag } from "./_shared_flags.ts";
import { bytes, count } from "../train/progress/amounts.ts";

const flags = z.object({
  host: z.string().default("127.0.0.1").meta({
    description:
      "Address to listen on; if it is not loopback, the page requires the token in TAULAB_TOKEN",
  }),
  port: z.int().min(0).max(65535).default(8686).meta({
    description: "Port to listen on; 0 takes a free one",
  }),
  export: z.string().min(1).optional().meta({
    description: "Write selected episodes to one offline HTML file instead",
    value: "FILE",
    isPath: anyPath,
  }),
  episodes: z.string().optional().meta({
    description:
      "With --export: ids of the episodes, such as 1,5-9; default: all",
    value: "LIST",
  }),
  filter: z.string().optional().meta({
    description:
      'With --export: select episodes with a filter such as "reward<1 and step=40", or with the page\'s query string',
    value: "TEXT",
  }),
  limit: z.int().min(1).default(50).meta({
    description: "With --export: maximum number of episodes",
  }),
  tokens: z.boolean().default(false).meta({
    description: "With --export: include the tokens of the episodes",
  }),
  tauBench: tauBenchFlag.meta({
    description:
      "Directory of tau-bench's data, to compare rows with their expected state; default: each run's own",
  }),
  tau3Bench: tau3BenchFlag.meta({
    description: "Directory of tau3-bench's data; default: each run's own",
  }),
  runs: runsFlag,
});

type Flags = z.infer<typeof flags>;

async function run(flags: Flags, context: TaskContext): Promise<TaskResult> {
  const token = isLoopback(flags.host)
    ? undefined
    : tokenOf(flags.host, "with which the page is then opened");
  refuseIdleFlags(flags);
  const { limit, tokens: withTokens } = flags;
  const choice = { ...readChoice(flags), limit, withTokens };
  using library = await Library.open({
    named: context.operands,
    root: flags.runs,
    find: diagnosisFindings,
    tauBench: flags.tauBench,
    tau3Bench: flags.tau3Bench,
  });
  await nameFaults(library, context);
  return flags.export === undefined
    ? await serve({ flags, library, token }, context)
    : await exportFile(flags.export, { choice, library }, context);
}

/** Prints the errors of result files that cannot be read. */
async function nameFaults(
  library: Library,
  { terminal }: TaskContext,
): Promise<void> {
  for (const source of library.sources.filter(isResultFile)) {
    const { error } = await source.summary();
    if (error === null) continue;
    const isNamed = error.includes(source.path);
    terminal.note(isNamed ? error : `${source.path}: ${error}`);
  }
}

function isResultFile(source: EpisodeSource): boolean {
  return source instanceof ResultsSource;
}

/**
 * Rejects flags that have no effect.
 * @throws {ConfigError} If a flag that needs `--export` is passed without `--export`.
 */
function refuseIdleFlags(flags: Flags): void {
  const idle = (["episodes", "filter"] as const)
    .find((name) => flags[name] !== undefined);
  if (idle === undefined || flags.export !== undefined) return;
  throw new ConfigError(`--${idle} needs --export`, {
    hint: "pass --export FILE.html, or filter in the page",
  });
}

async function serve(
  { flags, library, token }: {
    flags: Flags;
    library: Library;
    token: string | undefined;
  },
  { operands, terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const app = viewerApp({
    library,
    version: denoConfig.version,
    ...(token === undefined ? {} : { token }),
  });
  const server = listen({ ...flags, terminal }, app.fetch);
  const query = token === undefined
    ? ""
    : `?token=${encodeURIComponent(token)}`;
  const [only] = library.sources;
  const place = operands.length === 1 && only !== undefined
    ? `#/run/${encodeURIComponent(only.id)}`
    : "";
  const url = `${urlOf(flags.host, server.addr.port)}/${query}${place}`;
  terminal.note(`The viewer is at ${url}; Ctrl-C stops it`);
  terminal.ready({ url, pid: Deno.pid });
  await aborted(signal);
  await shutDown(server);
  return { json: { url }, exitCode: EXIT.done };
}

async function exportFile(
  path: string,
  { choice, library }: { choice: ExportChoice; library: Library },
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const data = await collect(library, {
    ...choice,
    version: denoConfig.version,
    now: new Date(),
    signal,
    onEpisode: (done) => terminal.progress(`${count(done)} episodes read`),
  }).catch((error) => {
    const isTheirs = error instanceof ViewerFault && error.kind === "unknown";
    if (!isTheirs) throw error;
    throw new ConfigError(error.message, { cause: error });
  });
  terminal.endProgress();
  const [episodes, runs] = [data.episodes.length, data.runs.length];
  if (episodes === 0) {
    const browse = 'browse the runs with "deno task view"';
    throw choice.filter.size > 0
      ? new ConfigError("No episode matches --filter", {
        hint: `widen the filter, or ${browse}`,
      })
      : new ConfigError("There are no episodes to export", { hint: browse });
  }
  const page = new TextEncoder().encode(await exportedPage(data));
  await writing(path, () => writeFileAtomic(path, page));
  terminal.print(
    `Wrote ${count(episodes)} ${episodes === 1 ? "episode" : "episodes"} of ${
      count(runs)
    } ${runs === 1 ? "run" : "runs"} to "${path}": ${bytes(page.length)}`,
  );
  return { json: { path, episodes, runs, bytes: page.length } };
}

export const task = await main(import.meta, {
  name: "view",
  summary:
    "Show runs, episodes and the reasons for each reward in a local web page, or export episodes to a file",
  flags,
  operands: {
    name: "RUN...",
    description:
      "Runs, evaluations, result files from tau-bench or tau3-bench, or Inspect logs (.eval); default: all runs",
    isPath: runOrFile,
  },
  examples: [
    {
      command: "deno task view",
      does:
        "show all runs under runs/ on port 8686; the page updates as they progress",
    },
    {
      command: "deno task view a1 results.json --tau-bench DIR",
      does:
        "show a run and a tau-bench result file, with the expected state of rows",
    },
    {
      command:
        "deno task view simulations/results.json --tau3-bench ../tau2-bench",
      does:
        "show a tau3-bench result file, with both sides of the conversation and every check",
    },
    {
      command:
        'deno task view a1 --export failed.html --filter "reward<1 and step=40"',
      does: "export failed episodes from step 40 to one offline file",
    },
  ],
  notes: `Fields of --filter: ${Object.keys(FILTER_FIELDS).join(" ")} text.\n` +
    'Operators: = != < <= > >= ~ (contains). Values: "40..50" is a range, "1,2" is a list, and "none" matches a missing value.',
  interruptNote: "Stopping the viewer",
  confine: ({ flags }) => ({
    ...LOCAL_WORK,
    ...writesFiles(flags.export),
    // The page is served to this machine, or to clients with the token.
    net: flags.export === undefined,
    env: [...LOCAL_WORK.env, "TAULAB_TOKEN"],
  }),
  run,
});
