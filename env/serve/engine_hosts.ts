/**
 * Decides which engine URLs requests may name. Hosts are compared in canonical form, so that decimal, octal,
 * hexadecimal and IPv4-mapped spellings of an address are recognized as the same host.
 */

import { isLoopback } from "./loopback.ts";

/**
 * Parses the URL of an engine, which consists of a scheme, a host and an optional port.
 * @returns The canonical origin, or `null` if the URL is invalid or has a user, a path, a query or a fragment.
 */
export function engineOrigin(text: string): string | null {
  // The parser drops white space and treats backslashes as slashes; an engine's URL needs neither.
  if (!/^https?:\/\/[^\s\\]{1,300}$/i.test(text)) return null;
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return null;
  if (text.includes("@")) return null;
  return url.href === `${url.origin}/` ? url.origin : null;
}

/**
 * Returns the canonical form of a host, or `null` if it is invalid. The canonical form of a name is in lower case,
 * without a trailing dot.
 */
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

/** Matches a host name or an IPv4 address, and captures it without a trailing dot. */
const NAME = /^([\w-]+(?:\.[\w-]+)*)\.?$/;

/**
 * Converts an IPv4-mapped IPv6 address to the IPv4 address to which it connects. Other addresses are returned
 * unchanged.
 */
function unmapped(address: string): string {
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/
    .exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  const value = parseInt(high, 16) * 65_536 + parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256)
    .join(".");
}

/** Checks whether a canonical host is an IP address. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

/**
 * A host on which engines are allowed, in the canonical form that {@linkcode canonicalHost} returns. If `port` is
 * omitted, all ports are allowed.
 */
export interface EngineHost {
  readonly host: string;
  readonly port?: number;
}

/** Parses an allowed host: `HOST`, `HOST:PORT`, `[IPv6]:PORT` or an IPv6 address. Returns `null` for any other text. */
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

/** Options for {@linkcode EngineHosts}. */
export interface EngineHostsOptions {
  readonly hosts: readonly EngineHost[];
  /** Returns the addresses of this machine. Default: only loopback addresses. */
  readonly ownAddresses?: () => readonly string[];
  /** Resolves a host name to its addresses. */
  readonly lookup: (name: string) => Promise<readonly string[]>;
  /** Returns the time in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
}

/** The lifetime of cached addresses, in milliseconds. */
const KEPT_MS = 30_000;

/**
 * The hosts on which engines are allowed: loopback, the other addresses of this machine, and the listed hosts. If a
 * name is listed, the addresses that it resolves to are allowed too. An unlisted name is rejected without a lookup,
 * since it could resolve to another address later.
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

  /**
   * Checks whether engines with this origin are allowed.
   * @param origin The origin, as returned by {@linkcode engineOrigin}.
   */
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

  /** Returns the addresses of the listed names, cached for 30 s. */
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
