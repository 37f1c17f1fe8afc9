/**
 * The key-value cache of the policy's conversations, in pages of a bounded pool, so that a growing context is never
 * copied.
 */

import { PAGE } from "./abi.ts";
import { type Engine, pageLayout } from "./engine.ts";
import { PagePool } from "./page_pool.ts";

/** The cache of one conversation. */
export interface Session {
  readonly name: string;
  /** The ids whose keys and values are in the pages. */
  readonly ids: number[];
  /** The numbers of the session's pages. */
  readonly pages: number[];
  /** The address of the page table that the kernels read. */
  readonly table: number;
  /** The address of the convolutions' last inputs. */
  readonly state: number;
  /** The version of the weights with which the contents were computed. */
  version: number;
  /** Whether a request is using the session. */
  busy: boolean;
  /** Whether to free the session when it is no longer busy. */
  released: boolean;
  /** The time of the session's last use, as the value of a counter. */
  lastUse: number;
}

/** The caches of all sessions, and the pool of their pages. */
export class SessionCache {
  readonly #engine: Engine;
  readonly #sessions = new Map<string, Session>();
  readonly #pool: PagePool;
  readonly #tails: number;
  #freeSlots: { table: number; state: number }[] = [];
  #uses = 0;

  /**
   * Creates an empty cache.
   * @param maxTokens The maximum number of positions across all sessions.
   */
  constructor(engine: Engine, maxTokens: number) {
    this.#engine = engine;
    this.#pool = new PagePool(
      engine,
      Math.max(1, Math.floor(maxTokens / PAGE)),
    );
    this.#tails = pageLayout(engine.config, false).tails;
  }

  /** The number of positions in the sessions' pages, rounded up to whole pages. */
  get tokens(): number {
    return this.#pool.taken * PAGE;
  }

  /** The number of bytes from one stream to the next, for the kernels. */
  get streamBytes(): number {
    return this.#pool.streamBytes;
  }

  /** Checks whether a request is using the session. */
  isBusy(name: string): boolean {
    return this.#sessions.get(name)?.busy ?? false;
  }

  /**
   * Reserves a session for a request and creates it if necessary. The session keeps the cached prefix of `ids`, without
   * the last id, because a prediction needs at least one token to be fed. If the cache has to be shortened for this, it
   * is cut at a page boundary. If the weights have changed, it is emptied.
   */
  acquire(name: string, ids: readonly number[]): Session {
    let session = this.#sessions.get(name);
    if (!session) {
      session = {
        name,
        ids: [],
        pages: [],
        ...this.#slot(),
        version: this.#engine.version,
        busy: false,
        released: false,
        lastUse: 0,
      };
      this.#sessions.set(name, session);
    }
    if (session.version !== this.#engine.version) {
      this.#truncate(session, 0);
      session.version = this.#engine.version;
    }
    const common = commonPrefix(session.ids, ids);
    if (common < session.ids.length || common === ids.length) {
      this.#truncate(session, Math.min(common, ids.length - 1));
    }
    session.busy = true;
    session.lastUse = ++this.#uses;
    return session;
  }

  /** Marks a session as idle after a request, and frees it if it was released in the meantime. */
  settle(session: Session): void {
    session.busy = false;
    if (session.released) this.#remove(session);
  }

  /** Frees a session, now or after its request. */
  release(name: string): void {
    const session = this.#sessions.get(name);
    if (!session) return;
    session.released = true;
    if (!session.busy) this.#remove(session);
  }

  /**
   * Reserves pages for `positions` positions in total. Returns `false` if the pool is exhausted even after evicting
   * idle sessions.
   */
  reserve(session: Session, positions: number): boolean {
    while (session.pages.length * PAGE < positions) {
      const page = this.#takePage(session.pages.at(-1));
      if (page === undefined) return false;
      const entry = session.table / 4 + session.pages.length * 2;
      this.#engine.heap.ints[entry] = this.#pool.pageAt(page);
      this.#engine.heap.ints[entry + 1] = this.#pool.blockAt(page);
      session.pages.push(page);
    }
    return true;
  }

  /** Frees a session's pages. Its request then has to process the ids again. */
  evict(session: Session): void {
    this.#truncate(session, 0);
  }

  /**
   * Truncates a session to the last page boundary at or before `length`, where the convolutions' state is kept, and
   * frees the pages after it.
   */
  #truncate(session: Session, length: number): void {
    const { heap, config } = this.#engine;
    const kept = Math.floor(length / PAGE);
    for (const page of session.pages.splice(kept)) this.#pool.free(page);
    session.ids.length = Math.min(session.ids.length, kept * PAGE);
    const bytes = config.layers * 2 * config.dim * 4;
    if (kept === 0) {
      heap.bytes.fill(0, session.state, session.state + bytes);
    } else {
      const tails = this.#pool.pageAt(session.pages[kept - 1]!) + this.#tails;
      heap.bytes.copyWithin(session.state, tails, tails + bytes);
    }
  }

  #remove(session: Session): void {
    this.#truncate(session, 0);
    this.#freeSlots.push({ table: session.table, state: session.state });
    this.#sessions.delete(session.name);
  }

  #slot(): { table: number; state: number } {
    const { heap, config } = this.#engine;
    const free = this.#freeSlots.pop();
    if (free) {
      const bytes = config.layers * 2 * config.dim * 4;
      heap.bytes.fill(0, free.state, free.state + bytes);
      return free;
    }
    return {
      table: heap.allocate((config.contextLength / PAGE + 1) * 8),
      state: heap.allocate(config.layers * 2 * config.dim * 4),
    };
  }

  #takePage(after: number | undefined): number | undefined {
    const page = this.#pool.take(after);
    if (page !== undefined) return page;
    this.#evictIdle();
    return this.#pool.take(after);
  }

  /** Removes the least recently acquired session that is idle and has pages, if there is one. */
  #evictIdle(): void {
    let oldest: Session | undefined;
    for (const session of this.#sessions.values()) {
      if (session.busy || session.pages.length === 0) continue;
      if (!oldest || session.lastUse < oldest.lastUse) oldest = session;
    }
    if (oldest) this.#remove(oldest);
  }
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const n = Math.min(a.length, b.length);
  let i = 0;
  while (i < n && a[i] === b[i]) i++;
  return i;
}
