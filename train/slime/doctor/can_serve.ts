/**
 * Checks whether another host can run episode servers: whether setup has installed everything that the servers need,
 * whether the ports are free, whether the host can reach the user's model, and whether a process may open enough files.
 */

import { dataOn } from "../setup/host_taulab.ts";
import { fileURLToPath } from "node:url";
import { asksModel } from "../../../env/users/registry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { pathWord, quote } from "../hosts/shell.ts";
import { readPackage } from "../setup/package.ts";
import type { PlacedShell } from "../setup/placed_shell.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import {
  type CheckContext,
  fail,
  type Observed,
  verdict,
  warn,
} from "./check.ts";
import { lastWords } from "./host_file.ts";
import { readListeners } from "./listeners.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Checks whether a host can run episode servers.
 * @param ports The ports of the servers that will run on the host.
 * @returns The problems that were found, or a single `pass` if there are none.
 */
export async function canServe(
  host: PlacedShell,
  { config, batch, ports, signal }:
    & CallOptions
    & Pick<CheckContext, "config" | "batch">
    & { readonly ports: readonly number[] },
): Promise<readonly Observed[]> {
  const { id } = await readPackage(ROOT.replace(/\/$/, ""));
  return verdict(
    [
      ...await setUpFaults(host, { config, id, signal }),
      ...await portFaults(host, { ports, signal }),
      ...await userFaults(host, { config, signal }),
      ...await fileFaults(host, { config, batch, signal }),
    ],
    ports.length === 0
      ? "no episode server will be started here"
      : `episode servers can be started on ${portsText(ports)}`,
  );
}

/**
 * Returns a fault that lists what the host lacks: this machine's versions of Deno and taulab, the recipe's dataset, and
 * the model's tokenizer. Returns no fault if the host has all of them.
 */
async function setUpFaults(
  host: PlacedShell,
  { config, id, signal }:
    & CallOptions
    & Pick<CheckContext, "config">
    & { readonly id: string },
): Promise<Observed[]> {
  const { taulab, deno } = host.taulab;
  const { source } = config.data;
  const data = dataOn(host.taulab, source);
  const version = Deno.version.deno;
  const lines = [
    `[ "$(${deno} --version 2>/dev/null | head -n 1 | cut -d' ' -f2)" = ${version} ] || echo "Deno ${version}"`,
    `[ "$(head -n 1 ${
      pathWord(taulab)
    }/.taulab-files 2>/dev/null)" = ${id} ] || echo "this version of taulab"`,
    ...data === null
      ? []
      : [`[ -e ${pathWord(data)}/SOURCE.json ] || echo "${source}'s data"`],
    `[ -e ${
      quote(`${config.model.directory}/tokenizer.json`)
    } ] || echo "the tokenizer of model.directory"`,
  ];
  const { stdout } = await host.run({ script: lines.join("\n") }, { signal });
  const missing = stdout.trim().split("\n").filter(Boolean);
  return missing.length === 0 ? [] : [fail(
    `episode servers cannot run on this host, which lacks ${
      missing.join(", ")
    }`,
    `run "deno task setup --serve ${host.name}", or set bridge.hosts to another host or "this"`,
  )];
}

async function portFaults(
  host: PlacedShell,
  { ports, signal }: CallOptions & { readonly ports: readonly number[] },
): Promise<Observed[]> {
  const listeners = await readListeners(host, { signal });
  const held = listeners.find(({ port }) => ports.includes(port));
  return held === undefined ? [] : [fail(
    `port ${held.port}, for an episode server, is in use by ${
      held.holder ?? "another process"
    }`,
    "end that process if it is yours, or set bridge.port to another port",
  )];
}

/**
 * Returns a fault if the host cannot reach the endpoint of the user's model. Any response passes, because the `user`
 * check determines whether the key is valid.
 */
async function userFaults(
  host: PlacedShell,
  { config, signal }: CallOptions & { readonly config: SlimeConfig },
): Promise<Observed[]> {
  const { strategy, endpoint } = config.user;
  const url = endpoint.baseUrl;
  if (!asksModel(strategy) || url == null) return [];
  const script = `${host.taulab.deno} eval ${quote(REACH)} 2>&1`;
  const env = { TAULAB_URL: url };
  const { code, stdout } = await host.run({ script, env }, { signal });
  if (code === 0 || code === 127) return [];
  return [fail(
    `cannot reach the user's model at ${url}: ${lastWords(stdout, code)}`,
    "set user.endpoint.baseUrl to an address that this host can reach, or open the firewall",
  )];
}

/**
 * The number of files that a server opens per episode: one connection for the episode's request, and one to its engine.
 */
const FILES_PER_EPISODE = 2;

/** Returns a warning if the limit of open files is too low for a server's share of the concurrent episodes. */
async function fileFaults(
  host: PlacedShell,
  { config: { engine, bridge }, batch, signal }:
    & CallOptions
    & Pick<CheckContext, "config" | "batch">,
): Promise<Observed[]> {
  // Deno raises the soft limit to the hard limit.
  const { stdout } = await host.run({ script: "ulimit -Hn" }, { signal });
  const limit = Number(stdout);
  const episodes = Math.ceil(
    engine.concurrency * batch.engines / bridge.processes,
  );
  // The limit is not a number if it is "unlimited", and 0 if the shell does not report it.
  if (!(limit > 0 && limit < FILES_PER_EPISODE * episodes)) return [];
  return [warn(
    `a process may open only ${limit} files, but an episode server needs ${FILES_PER_EPISODE} for each of its ${episodes} concurrent episodes`,
    "raise the hard limit of open files on this host (ulimit -Hn), raise bridge.processes, or lower engine.concurrency",
  )];
}

const REACH = `const signal = AbortSignal.timeout(10000);
try {
  const answer = await fetch(Deno.env.get("TAULAB_URL"), { signal });
  await answer.body?.cancel();
} catch (error) {
  console.log(error.message);
  Deno.exit(1);
}`;

/** Formats ports, such as `port 8400` or `the ports 8400, 8401`. */
export function portsText(ports: readonly number[]): string {
  return `${ports.length === 1 ? "port" : "the ports"} ${ports.join(", ")}`;
}
