/** Formats the plan of a slime run as text for users, who can check it line by line. */

import { asksModel } from "../../../env/users/registry.ts";
import { count, dollars, duration, gigabytes } from "../../progress/amounts.ts";
import { quote, quoteWords } from "../hosts/shell.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { isAsync } from "./async_mode.ts";
import type { Load } from "./forecast.ts";
import type { LaunchPlan, PlannedCommand } from "./plan_types.ts";
import { keepsBest } from "./run_memory.ts";
import { timeRows } from "./time_rows.ts";

/** Formats a plan for users, in sections for files, servers, commands and resources. */
export function planText(config: SlimeConfig, plan: LaunchPlan): string {
  const sections: [string, string[]][] = [
    ["Files, on each host", fileLines(plan)],
    ["Episode servers", serviceLines(plan)],
    ["Ray", rayLines(plan)],
    ["Job", jobLines(plan)],
    ["Environment of the job", environmentLines(config, plan)],
    [
      `Command: cd ${quote(config.paths.slime)} && exec ${
        quoteWords([config.paths.python, plan.script])
      }`,
      trainLines(config, plan),
    ],
    ["Derived values", derivedLines(config, plan)],
    ["Tokens", tokenLines(plan)],
    ["Memory", memoryLines(config, plan)],
    ["Disk", diskLines(config, plan)],
    ["Simulated users", forecastLines(config, plan)],
    ["Time", columns(timeRows(config, plan.time))],
    ["Warnings", plan.warnings.flatMap(wrapped)],
  ];
  const shown = sections.filter(([, lines]) => lines.length > 0);
  return [
    `Plan of ${plan.run}: ${config.model.name} on ${
      plan.ray.gpus === 1 ? "1 GPU" : `${plan.ray.gpus} GPUs`
    } of ${
      plan.hosts.map(({ name }) => name).join(", ")
    }. Nothing has been started.`,
    ...shown.map(([title, lines]) =>
      `${title}\n${lines.map((line) => `  ${line}`.trimEnd()).join("\n")}`
    ),
  ].join("\n\n");
}

function fileLines({ files }: LaunchPlan): string[] {
  return columns(files.map(({ path, text, on, what }) => [
    path,
    text === null
      ? "unknown"
      : on === "servers"
      ? "resolved"
      : `${count(new TextEncoder().encode(text).length)} B`,
    what,
  ])).concat(
    files.flatMap(({ path, text, on }) =>
      path.endsWith(".yaml") && text !== null && on !== "servers"
        ? [
          "",
          `${path}:`,
          ...text.trimEnd().split("\n").map((one) => `  ${one}`),
        ]
        : []
    ),
  );
}

function serviceLines({ services }: LaunchPlan): string[] {
  return services.flatMap(({ url, start }) =>
    start === null
      ? [`${url}, already running`]
      : [`${url}, started on ${commandText(start)}`]
  );
}

function rayLines({ ray }: LaunchPlan): string[] {
  const { head, workers, address, jobsUrl, ports } = ray;
  const commands = head === null ? [] : [head, ...workers];
  return [
    ...(head === null
      ? [`joins the running cluster at ${address}; starts no Ray process`]
      : commands.map(commandText)),
    ...columns([
      ["Jobs API", jobsUrl],
      ["GPUs", `${ray.gpus} used; each host offers ${ray.hostGpus}`],
      [
        "ports that must be free",
        ports.map(({ port, of }) => `${port} (${of})`).join(", "),
      ],
    ]),
  ];
}

/**
 * Formats a command, such as `this machine: NAME=value ray start …  # with WANDB_API_KEY from the environment, if set`.
 */
function commandText({ host, words, env, passEnv }: PlannedCommand): string {
  const set = Object.entries(env).map(([name, value]) =>
    `${name}=${quoteWords([value])} `
  );
  const passed = passEnv.length === 0
    ? ""
    : `  # with ${passEnv.join(", ")} from the environment, if set`;
  return `${host}: ${set.join("")}${quoteWords(words)}${passed}`;
}

function jobLines({ job, ray }: LaunchPlan): string[] {
  return columns([
    ["submitted to", `POST ${ray.jobsUrl}/api/jobs/`],
    ["submission_id", job.submissionId],
    ...Object.entries(job.metadata).map(([key, value]) => [
      `metadata ${key}`,
      value,
    ]),
  ]);
}

function environmentLines(
  { cluster }: SlimeConfig,
  { job }: LaunchPlan,
): string[] {
  const set = Object.entries(job.runtimeEnv.env_vars)
    .map(([name, value]) => `${name}=${quote(value)}`);
  const open = "NCCL_NVLS_ENABLE" in job.runtimeEnv.env_vars ? [] : [
    `NCCL_NVLS_ENABLE is set at launch: 1 if nvidia-smi reports NVLink (cluster.nvlink ${cluster.nvlink})`,
  ];
  return [
    ...set,
    ...open,
    ...job.secrets.flatMap(({ name, way }) => wrapped(`${name}: ${way}`)),
  ];
}

function trainLines({ engine }: SlimeConfig, { train }: LaunchPlan): string[] {
  const isOpen = train.every(({ flag }) => flag !== "--router-policy");
  return [
    ...columns(train.map(({ flag, values, from }) => [
      quoteWords([flag, ...values]),
      from,
    ])),
    ...(isOpen
      ? [
        `--router-policy is set at launch: the best policy that the installed router supports (engine.routerPolicy ${engine.routerPolicy})`,
      ]
      : []),
  ];
}

function derivedLines(
  config: SlimeConfig,
  { derived, hosts }: LaunchPlan,
): string[] {
  const { algorithm, rollout, parallel, cluster, eval: evals } = config;
  const { batchSize, groupSize, globalBatchSize } = rollout;
  return columns([
    [
      "episodes per rollout",
      `${count(derived.samples)} = ${batchSize} tasks × ${groupSize}`,
    ],
    [
      "optimizer steps",
      `${derived.optimizerSteps} per rollout, of ${globalBatchSize} episodes each; ${
        count(derived.totalSteps)
      } in ${count(derived.rollouts)} rollouts`,
    ],
    [
      "epochs",
      derived.epochs === null ? "unknown" : derived.epochs.toFixed(1),
    ],
    [
      "evaluations",
      evals.every === 0
        ? "none"
        : `${derived.evaluations}: ${
          isAsync(config) ? "" : "before the first rollout, then "
        }after every ${
          evals.every === 1 ? "rollout" : `${evals.every} rollouts`
        }`,
    ],
    [
      "data parallel",
      `${derived.dataParallel} = ${
        cluster.nodes * cluster.gpusPerNode
      } GPUs / (tensor ${parallel.tensor} × pipeline ${parallel.pipeline} × context ${parallel.context})`,
    ],
    [
      "engines",
      `${derived.engines}, ${count(derived.concurrency)} concurrent episodes${
        cluster.colocate ? ", on the training GPUs" : ""
      }`,
    ],
    ...(algorithm.async === "off" ? [] : [[
      "sampling",
      algorithm.async === "one-step"
        ? "one rollout ahead of training"
        : `continues during training; an episode starts at most ${algorithm.maxStaleness} ${
          algorithm.maxStaleness === 1 ? "rollout" : "rollouts"
        } before it is trained on`,
    ]]),
    ["parameters", count(derived.parameters)],
    ["padded vocabulary", count(derived.paddedVocab)],
    ["checkpoints", derived.checkpoints],
    [
      "hosts",
      hosts.map(({ name, address }) => `${name} ${address}`).join(", "),
    ],
  ]);
}

function tokenLines({ tokens, memory }: LaunchPlan): string[] {
  return columns([
    [
      "per rollout",
      `about ${count(tokens.expected)}, at most ${count(tokens.most)}, in ${
        count(tokens.samples)
      } episodes`,
    ],
    ["per episode", `at most ${count(tokens.episode)}`],
    ["per answer", `at most ${count(tokens.answer)}`],
    [
      "per micro-batch",
      `at most ${count(memory.microBatchTokens)} per GPU; at least ${
        count(tokens.microBatches)
      } micro-batches per rank and step`,
    ],
  ]);
}

function memoryLines(
  { cluster, engine: { memory: share } }: SlimeConfig,
  { memory }: LaunchPlan,
): string[] {
  const { training, engine, gpu, host } = memory;
  return [
    `per GPU of ${gigabytes(gpu)} during training ("about": estimated)`,
    ...columns([
      ["weights", gigabytes(training.weights), "bf16"],
      ["gradients", gigabytes(training.gradients), ""],
      [
        "optimizer",
        gigabytes(training.optimizer),
        "fp32 weights and two moments, divided among the data-parallel ranks",
      ],
      [
        "activations",
        `about ${gigabytes(training.activations)}`,
        `${count(memory.microBatchTokens)} tokens`,
      ],
      ["logits", `about ${gigabytes(training.logits)}`, ""],
      ["overhead", `about ${gigabytes(training.beside)}`, "assumed"],
      [
        "total",
        `about ${gigabytes(training.total)}`,
        training.total <= gpu ? "fits" : "does not fit",
      ],
    ]),
    `per GPU during sampling${
      cluster.colocate ? ", alternating with training" : ""
    }`,
    ...columns([
      ["share", gigabytes(engine.share), `engine.memory ${share}`],
      ["weights", gigabytes(engine.weights), "bf16"],
      [
        "cache",
        gigabytes(engine.cache),
        `${count(engine.cacheTokens)} tokens per engine; about ${
          count(engine.expectedTokens)
        } expected`,
      ],
    ]),
    `per host: about ${gigabytes(host)} for copies of weights${
      cluster.colocate ? " and the offloaded trainer" : ""
    }`,
  ];
}

function diskLines(
  config: SlimeConfig,
  { memory: { disk } }: LaunchPlan,
): string[] {
  const { checkpoint } = config;
  const { checkpoints, saves } = disk;
  return [
    `${checkpoints < saves ? "up to " : ""}${
      checkpoints === 1 ? "1 checkpoint" : `${checkpoints} checkpoints`
    }${
      checkpoints < saves ? ` at a time (${saves} in total), each` : ""
    } of about ${gigabytes(disk.checkpoint)}${
      disk.huggingFace === 0
        ? ""
        : ` and ${gigabytes(disk.huggingFace)} in Hugging Face's format`
    }: ${gigabytes(disk.total)}${
      checkpoint.keep === null
        ? "; none is removed"
        : `; the last ${checkpoint.keep}${
          keepsBest(config) ? " and the best" : ""
        } are kept while the next one is written`
    }`,
  ];
}

function forecastLines(
  { user, rollout }: SlimeConfig,
  { forecast }: LaunchPlan,
): string[] {
  const { rates } = forecast;
  const model = asksModel(user.strategy)
    ? `${user.strategy}, ${
      user.endpoint.model ?? "no model set"
    } (${user.endpoint.provider})`
    : `${user.strategy}, no model`;
  const each = rates.user === null
    ? "no calls"
    : `${rates.user.calls.toFixed(1)} calls, ${
      count(rates.user.promptTokens)
    } prompt tokens and ${
      count(rates.user.completionTokens)
    } completion tokens`;
  const limit = forecast.callsPerMinuteLimit;
  return [
    ...columns([
      ["user", model],
      [
        "per episode",
        `${rates.turns.toFixed(1)} turns, ${count(rates.tokens)} tokens, ${
          duration(rates.seconds)
        }, ${each}`,
      ],
      [
        "source",
        rates.measuredOn === null
          ? "assumptions: gpt-4o on τ-airline, 3 s per turn; pass --rates-from RUN for measured rates"
          : `${count(rates.episodes)} episodes of ${rates.measuredOn}`,
      ],
      [
        "concurrent",
        `${count(forecast.atOnce)} episodes, ${
          count(forecast.callsPerMinute)
        } calls per minute${
          limit === null ? "" : `; the limit is ${count(limit)}`
        }`,
      ],
    ]),
    ...columns([
      ["", "episodes", "calls", "prompt", "completion", "sampling", "cost"],
      ["per rollout", ...loadCells(forecast.rollout)],
      ...(forecast.evaluation === null
        ? []
        : [["per evaluation", ...loadCells(forecast.evaluation)]]),
      ["whole run", ...loadCells(forecast.run)],
    ]),
    ...(rollout.filter === null ? [] : [
      `assumes that every group is kept: each group that ${rollout.filter} drops adds ${rollout.groupSize} episodes${
        rollout.filterRounds === null
          ? ""
          : `, for at most ${rollout.filterRounds} batches of groups per rollout`
      }`,
    ]),
    ...(forecast.evaluation === null && forecast.evaluations > 0
      ? [
        "excludes evaluations, because their number of rows is unknown",
      ]
      : []),
  ];
}

function loadCells(load: Load): string[] {
  return [
    count(load.episodes),
    count(load.userCalls),
    count(load.userPromptTokens),
    count(load.userCompletionTokens),
    duration(load.seconds),
    load.cost === null ? "unknown" : dollars(load.cost),
  ];
}

/** Aligns rows in columns that are separated by two spaces. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, c) =>
    Math.max(...rows.map((row) => (row[c] ?? "").length))
  );
  return rows.map((row) =>
    row.map((cell, c) => cell.padEnd(widths[c] ?? 0)).join("  ").trimEnd()
  );
}

/** Formats a sentence as a list item, wrapped to at most 100 characters per line. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = "-";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > 100) {
      lines.push(line);
      line = " ";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
