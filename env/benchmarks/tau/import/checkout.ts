/** A τ-bench checkout to import: a directory, or one commit of a repository, cloned for as long as it is read. */

import { join } from "node:path";
import { ConfigError } from "../../../errors.ts";
import type { Checkout } from "./import_tau_bench.ts";

/** Where the checkout is: `from`, or `commit` of `git`. */
export interface CheckoutSource {
  /** The directory that holds `tau_bench/`. */
  readonly from?: string | undefined;
  /** The URL of a repository. */
  readonly git?: string | undefined;
  /** A commit's hash. */
  readonly commit?: string | undefined;
}

/**
 * Opens a checkout; a clone is removed when it is disposed of.
 * @throws {ConfigError} If it is not said which, or the repository or its commit cannot be fetched.
 */
export async function openCheckout(
  { from, git, commit }: CheckoutSource,
  { read, signal }: Pick<Checkout, "read"> & { readonly signal: AbortSignal },
): Promise<Checkout & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  let root = from?.replace(/(?<!\/)\/+$/, "");
  if (git !== undefined && commit !== undefined && root === undefined) {
    const clone = await Deno.makeTempDir({ prefix: "tau-bench-" });
    stack.defer(() => Deno.remove(clone, { recursive: true }));
    await fetchCommit(git, { commit, root: clone, signal });
    root = clone;
  } else if (root === undefined || git !== undefined || commit !== undefined) {
    throw new ConfigError("There is nothing to import", {
      hint: "pass --from DIR, or --git URL with --commit SHA",
    });
  }
  const head = await headOf(root, read);
  const held = stack.move();
  return {
    root,
    read,
    commit: head,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** Fetches the one commit, or all where the server gives none by its hash. */
async function fetchCommit(
  url: string,
  { commit, root, signal }: {
    commit: string;
    root: string;
    signal: AbortSignal;
  },
): Promise<void> {
  const git = (...args: string[]) =>
    runGit(["-C", root, args[0]!, "--quiet", ...args.slice(1)], signal);
  await git("init");
  const one = await git("fetch", "--depth=1", "--", url, commit);
  if (one.code !== 0) {
    const branches = "+refs/heads/*:refs/remotes/origin/*";
    const all = await git("fetch", "--tags", "--", url, branches);
    if (all.code !== 0) {
      throw new ConfigError(`Cannot clone "${url}": ${all.error}`, {
        hint: "check the address",
      });
    }
  }
  const checkout = await git("checkout", "--detach", commit);
  if (checkout.code !== 0) {
    throw new ConfigError(
      `"${url}" has no commit ${commit}: ${checkout.error}`,
      {
        hint: "check the hash",
      },
    );
  }
}

async function runGit(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number; error: string }> {
  const { code, stderr } = await new Deno.Command("git", {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal,
  }).output();
  return { code, error: new TextDecoder().decode(stderr).trim() };
}

/** The commit of a checkout; `undefined` where it is none. */
async function headOf(
  root: string,
  read: Checkout["read"],
): Promise<string | undefined> {
  const head = (await read(join(root, ".git/HEAD")))?.trim();
  const ref = /^ref: (.+)$/.exec(head ?? "")?.[1];
  if (ref === undefined) return head;
  return (await read(join(root, ".git", ref)))?.trim();
}
