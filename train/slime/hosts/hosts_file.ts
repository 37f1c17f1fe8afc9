/**
 * Reads `hosts.yaml`, which lists hosts by name with the settings for reaching them.
 *
 * ```yaml
 * gpu1:
 *   address: 10.0.0.11
 *   ssh: { user: trainer, identity: ~/.ssh/gpu }
 *   gpus: 8
 *   container: taulab-slime
 * gpu2: { venv: /opt/slime }
 * this: { container: taulab-slime } # the machine that taulab runs on
 * ```
 */

import { z } from "zod";
import { ConfigError } from "../../../env/errors.ts";
import { nearest } from "../../../env/schema_issue.ts";
import { resolveBy } from "../../config/config.ts";
import type { DeepReadonly } from "../../config/config_schema.ts";
import { Yaml, type YamlFile } from "../../config/yaml_file.ts";
import { readTextIfThere } from "../../runs/storage.ts";
import {
  containerEngine,
  containerName,
  type Place,
  placeWord,
} from "./place.ts";
import { tcpPort } from "../value_schemas.ts";

/** The schema of a word that ssh cannot mistake for an option. */
const word = z.string().regex(
  /^[^-\s][^\s]*$/,
  "expected a word without spaces or a leading dash",
);

const sshSchema = z.strictObject({
  host: word.optional().describe(
    "What to pass to ssh: an address, or a name from ssh's config; default: the host's name",
  ),
  port: tcpPort.optional().describe("ssh's port"),
  user: word.optional().describe("The user to log in as"),
  identity: z.string().min(1).optional().describe("The private key's file"),
  options: z.record(
    z.string().regex(
      /^[A-Za-z]+$/,
      "expected the name of an ssh option",
    ),
    z.union([z.string(), z.number()]),
  ).default({}).describe("Additional ssh options, as in ssh_config"),
});

const hostSchema = z.strictObject({
  address: word.optional().describe(
    "The address that other hosts use to reach this host; default: the address passed to ssh",
  ),
  ssh: sshSchema.prefault({}).describe("How this machine reaches the host"),
  gpus: z.int().min(1).optional().describe("The number of GPUs"),
  dir: z.string().regex(/^[/~]/, "expected a path that starts with / or ~")
    .optional().describe(
      "The directory on the host in which taulab is installed",
    ),
  container: containerName.optional().describe(
    "The container in which the host's commands run; default: the container that setup created",
  ),
  engine: containerEngine.default("docker").describe("The container engine"),
  venv: placeWord.optional().describe(
    "The virtual environment in which the host's commands run",
  ),
});

type HostEntry = DeepReadonly<z.infer<typeof hostSchema>>;

/** A host of `hosts.yaml`. */
export type Host = Omit<HostEntry, "engine"> & {
  readonly name: string;
  /** The container engine. Default: `docker`. */
  readonly engine?: HostEntry["engine"];
};

/** The name in `hosts.yaml` for the machine that taulab runs on. */
export const THIS_HOST = "this";

/**
 * Reads the named hosts, in the given order.
 * @param file The path of a `hosts.yaml`. It is not read if `names` is empty.
 * @throws {ConfigError} If the file does not exist, is invalid or lacks a named host, or a host is named twice.
 */
export async function readHosts(
  file: string,
  names: readonly string[],
): Promise<Host[]> {
  const hosts = await hostsIfThere(file, names);
  if (hosts !== undefined) return hosts;
  throw new ConfigError(
    `Cannot reach "${names[0]}": there is no file "${file}"`,
    {
      hint:
        'create the file, for example with "gpu1: { ssh: { host: 10.0.0.11, user: trainer } }", or pass --hosts FILE',
    },
  );
}

/** Reads the named hosts as {@linkcode readHosts} does, but returns `undefined` if the file does not exist. */
export async function hostsIfThere(
  file: string,
  names: readonly string[],
): Promise<Host[] | undefined> {
  if (names.length === 0) return [];
  const text = await readTextIfThere(file);
  return text === undefined
    ? undefined
    : pickHosts(parseHosts({ name: file, text }), names, file);
}

/**
 * Reads the entry for this machine.
 * @returns The entry; `undefined` if the file does not exist or has no entry for this machine.
 * @throws {ConfigError} If the file is invalid.
 */
export async function readThisHost(file: string): Promise<Host | undefined> {
  const text = await readTextIfThere(file);
  return text === undefined
    ? undefined
    : parseHosts({ name: file, text }).find(({ name }) => name === THIS_HOST);
}

/** Returns the {@linkcode Place} where a host's commands run; `undefined` if hosts.yaml does not set it. */
export function placeOf(host: Host | undefined): Place | undefined {
  if (host?.container !== undefined) {
    const { engine = "docker", container: name } = host;
    return { kind: "container", engine, name };
  }
  return host?.venv === undefined
    ? undefined
    : { kind: "venv", dir: host.venv };
}

/**
 * Parses a `hosts.yaml`.
 * @returns The hosts, in the order of the file.
 * @throws {ConfigError} If the text is not YAML or not a map of hosts, a name, key or value is invalid, or a host has
 * settings that exclude each other. For a key or value, the message contains the line and, if the key is unknown, the
 * nearest known key.
 */
export function parseHosts(file: YamlFile): Host[] {
  const written = Object.entries(hostMap(file));
  const names = written.map(([name]) => name);
  const bad = names.find((name) => !/^[A-Za-z0-9][\w.-]*$/.test(name));
  if (bad !== undefined) {
    throw new ConfigError(
      `${file.name}: "${bad}" is not a valid host name`,
      {
        hint:
          "use only letters, digits, dots, dashes and underscores, and start with a letter or digit",
      },
    );
  }
  const bare = written.filter(([, value]) => value === null)
    .map(([name]) => ({ path: [name], value: {}, origin: file.name }));
  const schema = z.strictObject(
    Object.fromEntries(names.map((name) => [name, hostSchema.prefault({})])),
  );
  const parsed = resolveBy(schema, file, bare) as Record<
    string,
    Omit<Host, "name">
  >;
  return names.map((name) => {
    const host = { name, ...parsed[name]! };
    refuseTwoPlaces(host, file);
    return host;
  });
}

function refuseTwoPlaces(host: Host, { name: file }: YamlFile): void {
  if (host.container !== undefined && host.venv !== undefined) {
    throw new ConfigError(
      `${file}: "${host.name}" has both a container and a venv`,
      { hint: `remove "container" or "venv" from "${host.name}"` },
    );
  }
  const { options, ...ssh } = host.ssh;
  const isReached = Object.keys({ ...ssh, ...options }).length > 0;
  if (host.name === THIS_HOST && isReached) {
    throw new ConfigError(
      `${file}: "${THIS_HOST}" must have no ssh settings, because it is the machine that taulab runs on`,
      { hint: "remove its ssh settings, or give the host another name" },
    );
  }
}

function hostMap(file: YamlFile): object {
  const value = new Yaml(file, "the hosts file").value ?? {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value;
  }
  throw new ConfigError(
    `${file.name} must be a map from host names to their settings`,
    { hint: 'write, for example, "gpu1: { ssh: { user: trainer } }"' },
  );
}

/**
 * Selects the named hosts, in the given order.
 * @throws {ConfigError} If a host is unknown or named twice. For an unknown host, the hint suggests a known host with a
 * similar name, if there is one.
 */
export function pickHosts(
  hosts: readonly Host[],
  names: readonly string[],
  file = "hosts.yaml",
): Host[] {
  return names.map((name, i) => {
    if (names.indexOf(name) !== i) {
      throw new ConfigError(`The host "${name}" is listed twice`, {
        hint: "list each host once",
      });
    }
    const host = hosts.find((host) => host.name === name);
    if (host) return host;
    const near = nearest(name, hosts.map((host) => host.name));
    throw new ConfigError(
      `${file} has no host "${name}"`,
      {
        hint: near === undefined
          ? "add the host to the file"
          : `did you mean "${near}"?`,
      },
    );
  });
}

/** Returns the address that other hosts use to reach a host. */
export function hostAddress({ name, address, ssh }: Host): string {
  return address ?? ssh.host ?? name;
}
