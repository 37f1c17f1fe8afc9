/**
 * Engine URLs of requests: what counts is where a connection would go, not how a URL is spelled. Hosts are compared
 * as addresses, after decimal, octal, hexadecimal and IPv4-mapped spellings are resolved.
 */

import { isLoopback } from "./loopback.ts";

/**
 * Reads the URL of an engine: scheme, host and port alone.
 * @returns The origin, canonical; `null` if it is no such URL, or has a user, a path, a query or a fragment.
 */
export function engineOrigin(text: string): string | null {
  // The parser drops white space and takes backslashes for slashes; an engine's URL needs neither.
  if (!/^https?:\/\/[^\s\\]{1,300}$/i.test(text)) return null;
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return null;
  if (text.includes("@")) return null;
  return url.href === `${url.origin}/` ? url.origin : null;
}

/** A host as URLs and users write it, in one spelling: an address, or a name in lower case without its last dot. */
export function canonicalHost(host: string): string | null {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const written = bare.includes(":") ? `[${bare}]` : bare;
  const url = URL.parse(`http://${written}/`);
  if (url === null || url.href !== `${url.origin}/` || url.port !== "") {
    return null;
  }
  const { hostname } = url;
  return hostname.startsWith("[")
    ? unmapped(hostname.slice(1, -1))
    : NAME.exec(hostname)?.[1] ?? null;
}

/** Of a name or an IPv4 address, its last dot left out. */
const NAME = /^([\w-]+(?:\.[\w-]+)*)\.?$/;

/** The IPv4 address that an IPv4-mapped one stands for: connections go there. */
function unmapped(address: string): string {
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/
    .exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  const value = parseInt(high, 16) * 65_536 + parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256)
    .join(".");
}

/** Whether a canonical host is an address. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

/** A host that engines may be on, by {@linkcode canonicalHost}; any port where there is none. */
export interface EngineHost {
  readonly host: string;
  readonly port?: number;
}

/** Reads `HOST`, `HOST:PORT`, `[IPv6]:PORT` or a bare IPv6 address; `null` if it is none of them. */
export function readEngineHost(text: string): EngineHost | null {
  const isBareIpv6 = text.split(":").length > 2 && !text.startsWith("[");
  const [, written = "", digits] = isBareIpv6
    ? [text, text]
    : /^(\[[^\]]*\]|[^:[\]/?#@\s]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = written === "" ? null : canonicalHost(written);
  if (host === null || host === "") return null;
  if (digits === undefined) return { host };
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : null;
}

/** What decides where engines may be. */
export interface EngineHostsOptions {
  readonly hosts: readonly EngineHost[];
  /** The addresses of this machine. Default: none beyond loopback. */
  readonly ownAddresses?: () => readonly string[];
  /** The addresses of a name. */
  readonly lookup: (name: string) => Promise<readonly string[]>;
  /** Milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
}

/** How long addresses of names are kept. */
const KEPT_MS = 30_000;

/**
 * Where engines may be: loopback, this machine, and listed hosts. A listed name allows the addresses that it has; a
 * name that is not listed is refused without a lookup, since it can have another address by the next one.
 */
export class EngineHosts {
  readonly #options: EngineHostsOptions;
  readonly #now: () => number;
  #known: Promise<ReadonlyMap<string, readonly string[]>> | undefined;
  #knownAt = -Infinity;

  constructor(options: EngineHostsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** @param origin By {@linkcode engineOrigin}. */
  async allows(origin: string): Promise<boolean> {
    const url = new URL(origin);
    const host = canonicalHost(url.hostname);
    if (host === null) return false;
    if (isLoopback(host)) return true;
    const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
    const candidates = this.#options.hosts.filter((one) =>
      one.port === undefined || one.port === port
    );
    if (candidates.some((one) => one.host === host)) return true;
    if (!isAddress(host)) return false;
    const own = this.#options.ownAddresses?.() ?? [];
    if (own.some((address) => canonicalHost(address) === host)) return true;
    const addresses = await this.#addresses();
    return candidates.some((one) => addresses.get(one.host)?.includes(host));
  }

  /** The addresses of the listed names. */
  #addresses(): Promise<ReadonlyMap<string, readonly string[]>> {
    if (this.#known === undefined || this.#now() - this.#knownAt > KEPT_MS) {
      this.#knownAt = this.#now();
      this.#known = this.#look();
    }
    return this.#known;
  }

  async #look(): Promise<ReadonlyMap<string, readonly string[]>> {
    const { hosts, lookup } = this.#options;
    const names = [...new Set(hosts.map(({ host }) => host))]
      .filter((host) => !isAddress(host));
    return new Map(
      await Promise.all(names.map(async (name) => {
        const found = await lookup(name).catch(() => []);
        const addresses = found.map(canonicalHost)
          .filter((address) => address !== null);
        return [name, addresses] as const;
      })),
    );
  }
}
