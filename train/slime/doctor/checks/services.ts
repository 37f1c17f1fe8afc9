/**
 * Checks the episode servers. Running servers must match this recipe. A host that starts new servers needs, for
 * example, free ports and the model's tokenizer.
 */

import { asksModel } from "../../../../env/users/registry.ts";
import { z } from "zod";
import denoConfig from "../../../../deno.json" with { type: "json" };
import { DataError } from "../../../../env/errors.ts";
import { readOptionalText } from "../../../../env/tokens/model_dir.ts";
import type { Shell } from "../../hosts/shell.ts";
import { isLoopback } from "../../../../env/serve/loopback.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import { askJson } from "../http_question.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  onEachHost,
  verdict,
  warn,
} from "../check.ts";
import { runPython } from "../host_python.ts";
import { canServe, portsText } from "../can_serve.ts";

/** The `services` check. */
export const check: Check = {
  id: "services",
  order: 180,
  title:
    "episode servers run with this recipe's dataset, agent and user, or can be started",
  when: "always",
  async run(context) {
    const { services: urls } = context.config.bridge;
    if (urls.length === 0) return await canStart(context);
    const found = await Promise.all(urls.map((url) => lookAt(url, context)));
    return [...found.flat(), ...await reached(urls, context)];
  },
};

const infoSchema = z.looseObject({
  version: z.string(),
  data: z.string(),
  fingerprint: z.string(),
  agent: z.string(),
  user: z.string(),
  max_turns: z.int(),
});

async function lookAt(
  url: string,
  { config, facts, env, signal }: CheckContext,
): Promise<readonly Observed[]> {
  const base = url.replace(/(?<!\/)\/+$/, "");
  const options = { signal, token: env("TAULAB_TOKEN") || undefined };
  const health = await askJson(`${base}/health`, {
    ...options,
    schema: z.looseObject({ status: z.literal("ok") }),
  });
  if (!health.ok) {
    return [fail(
      `${base} ${health.fault}`,
      'start the episode server with "deno task serve --recipe RECIPE --host ADDRESS", or remove its URL from bridge.services',
    )];
  }
  const info = await askJson(`${base}/info`, {
    ...options,
    schema: infoSchema,
  });
  if (!info.ok) {
    return [fail(
      `${base}/info ${info.fault}`,
      info.status === 401
        ? "set TAULAB_TOKEN to the token that the server was started with"
        : "check that an episode server of this version of taulab runs there",
    )];
  }
  const dataset = await facts.dataset();
  const { strategy, endpoint } = config.user;
  return verdict(
    differences(info.value, {
      data: dataset.name,
      fingerprint: dataset.fingerprint,
      agent: config.agent,
      user: asksModel(strategy) ? `${strategy} ${endpoint.model}` : strategy,
      max_turns: config.rollout.maxTurns,
      version: denoConfig.version,
    }, base),
    `${base}: ${dataset.name}, ${info.value.agent} agent, ${info.value.user} user`,
  );
}

/** The compared values that come from the recipe. The others come from this machine. */
const OF_RECIPE = ["agent", "user", "max_turns"];

/** The names of the compared values in messages, keyed by field. */
const LABELS: Readonly<Record<string, string>> = {
  data: "dataset",
  fingerprint: "dataset fingerprint",
  agent: "agent",
  user: "user",
  max_turns: "maximum number of turns",
  version: "taulab version",
};

function differences(
  there: z.infer<typeof infoSchema>,
  wanted: Readonly<Record<string, string | number>>,
  url: string,
): Observed[] {
  return Object.entries(wanted).filter(([key, value]) => there[key] !== value)
    .map(([key, value]) => {
      const found = `the ${LABELS[key]} of ${url} is ${
        there[key]
      }, but ${value} ${
        OF_RECIPE.includes(key) ? "in the recipe" : "on this machine"
      }`;
      const fix =
        'restart the server with "deno task serve --recipe RECIPE" of this version of taulab';
      return key === "version" ? warn(found, fix) : fail(found, fix);
    });
}

/**
 * Checks that all hosts can reach the servers. If there are several hosts, a loopback address does not work, because it
 * means a different machine on each of them.
 */
async function reached(
  urls: readonly string[],
  { config, hosts, signal }: CheckContext,
): Promise<Observed[]> {
  const own = urls.filter((url) => isLoopback(new URL(url).hostname));
  if (own.length > 0 && config.cluster.nodes > 1) {
    return [fail(
      `${
        own[0]
      } is a loopback address, which means a different machine on each of the ${config.cluster.nodes} hosts`,
      "set bridge.services to a URL that all hosts can reach",
    )];
  }
  return await onEachHost(
    config.cluster.hosts.length === 0 ? [] : hosts,
    (host) => reach(host, { urls, config, signal }),
  );
}

const REACH = `
import urllib.request
lost = {}
for url in CASE:
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(url, timeout=10).read()
    except Exception as error:
        lost[url] = "%s: %s" % (type(error).__name__, error)
print(json.dumps(lost))
`;

async function reach(
  host: Shell,
  { urls, config, signal }: {
    urls: readonly string[];
    config: SlimeConfig;
    signal: AbortSignal;
  },
): Promise<readonly Observed[]> {
  const asked = await runPython(host, config.paths.python, {
    program: REACH,
    input: JSON.stringify(
      urls.map((url) => `${url.replace(/(?<!\/)\/+$/, "")}/health`),
    ),
    output: z.record(z.string(), z.string()),
    signal,
  }).catch((error: unknown) => {
    if (!(error instanceof DataError)) throw error;
    return error;
  });
  if (asked instanceof DataError) {
    return [fail(
      `cannot check with "${config.paths.python}" whether this host reaches the episode servers: ${asked.message}`,
      'fix what the check "software" reports',
    )];
  }
  return verdict(
    Object.entries(asked).map(([url, why]) =>
      fail(
        `cannot reach ${url} (${why})`,
        "open the port in the firewall between the hosts and the episode servers, or use another address",
      )
    ),
    "reaches all episode servers",
  );
}

async function canStart(context: CheckContext): Promise<readonly Observed[]> {
  const { bridge } = context.config;
  const ports = Array.from(
    { length: bridge.processes },
    (_, i) => bridge.port + i,
  );
  const { servers } = context;
  return servers.length === 0
    ? await canStartHere(ports, context)
    : await onEachHost(servers, (host) =>
      canServe(host, {
        ...context,
        ports: ports.filter((_, i) => servers[i % servers.length] === host),
      }));
}

/** Checks that servers can be started on this machine, which then also needs the tokenizer. */
async function canStartHere(
  ports: readonly number[],
  context: CheckContext,
): Promise<readonly Observed[]> {
  const { bridge, cluster } = context.config;
  const host = bridge.address ?? cluster.address;
  return verdict(
    [
      ...ports.flatMap((port) => listenFault(host, port)).slice(0, 1),
      ...await tokenizerFaults(context),
    ],
    `episode servers can be started on ${host}, on ${portsText(ports)}`,
  );
}

/** Checks whether a server could listen on an address, by briefly listening on it. */
function listenFault(hostname: string, port: number): Observed[] {
  try {
    Deno.listen({ hostname, port }).close();
    return [];
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      return [fail(
        `port ${port}, for an episode server, is in use on this machine`,
        "end the process that uses the port, or set bridge.port to another port",
      )];
    }
    if (error instanceof Deno.errors.AddrNotAvailable) {
      return [fail(
        `episode servers cannot listen on ${hostname}, which is not an address of this machine`,
        "set bridge.address to an address of this machine that the hosts can reach",
      )];
    }
    throw error;
  }
}

const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "generation_config.json",
];

async function tokenizerFaults(
  { config: { model, cluster }, facts }: CheckContext,
): Promise<Observed[]> {
  if (cluster.hosts.length === 0) return [];
  const names = await Promise.all(TOKENIZER_FILES.map(async (name) => {
    const here = await readOptionalText(`${model.directory}/${name}`);
    return here === await facts.modelFile(name) ? [] : [name];
  }));
  const differing = names.flat();
  return differing.length === 0 ? [] : [fail(
    `"${model.directory}" on this machine differs from the head's: ${
      differing.join(", ")
    }`,
    "copy these files from the head to this machine, where episode servers read them",
  )];
}
