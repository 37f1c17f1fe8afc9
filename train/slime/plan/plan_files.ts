/** Writes a plan's files to the hosts that read them. */

import { dirname } from "node:path/posix";
import { dataHint } from "../../config/open_dataset.ts";
import { ConfigError, HostError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { quote, type Shell } from "../hosts/shell.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import type { LaunchPlan, PlannedFile } from "./plan_types.ts";

/**
 * Writes each file to the hosts that need it, completely or not at all.
 * @throws {ConfigError} If the contents of a file depend on a dataset that is missing.
 * @throws {HostError} If a host cannot be reached, or a file cannot be written.
 */
export async function writePlanFiles(
  { hosts, files, services }: Pick<LaunchPlan, "hosts" | "files" | "services">,
  options: CallOptions & {
    readonly shellOf: (host: string) => Shell;
    /** The name of the dataset's source. */
    readonly source: SlimeConfig["data"]["source"];
  },
): Promise<void> {
  for (const file of files) {
    const { on, text, what } = file;
    if (text === null) {
      throw new ConfigError(
        `Cannot write the ${what}: the dataset is missing`,
        { hint: dataHint(options.source) },
      );
    }
    const targets = on === "servers"
      ? serverNames(services)
      : (on === "every" ? hosts : hosts.slice(0, 1)).map(({ name }) => name);
    await Promise.all(
      targets.map((name) => writeFile({ ...file, text }, { ...options, name })),
    );
  }
}

function serverNames(services: LaunchPlan["services"]): string[] {
  const names = services.flatMap(({ start }) => start?.host ?? []);
  return [...new Set(names)].filter((name) => name !== THIS_MACHINE);
}

async function writeFile(
  { path, text }: PlannedFile & { readonly text: string },
  { shellOf, name, signal }: CallOptions & {
    readonly shellOf: (host: string) => Shell;
    readonly name: string;
  },
): Promise<void> {
  // Named after the host, because several hosts may share the directory.
  const partial = quote(`${path}.${name}.partial`);
  const [dir, target] = [quote(dirname(path)), quote(path)];
  const { code, stderr } = await shellOf(name).run({
    script:
      `mkdir -p -- ${dir} && cat >${partial} && mv -- ${partial} ${target}`,
    stdin: text,
  }, { signal });
  if (code === 0) return;
  throw new HostError(
    `Cannot write "${path}" on ${name}: ${
      stderr.trim() || `exit status ${code}`
    }`,
    {
      hint:
        `free disk space on ${name}, or set paths.runs to a writable directory`,
    },
  );
}
