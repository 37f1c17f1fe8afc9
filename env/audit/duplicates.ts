/**
 * Finds near-duplicates: tasks with the same gold writes, or with instructions that share most of their word triples.
 */

import { createHash } from "node:crypto";
import { printPythonJson } from "../python/python_json.ts";
import type { Task } from "../types.ts";
import { type AuditInput, type Finding, finding, isWrite } from "./finding.ts";

/** The minimum fraction of shared word triples for two instructions to be near-duplicates. */
const ALIKE = 0.8;

/** The number of minimum hashes kept per instruction. Near-duplicates almost certainly share at least one. */
const MINIMA = 24;

/**
 * The number of tasks above which a triple is not used to find candidates. Triples that occur in more tasks are stock
 * phrases, which do not distinguish instructions.
 */
const COMMON = 40;

/** Returns a finding for each task that is a near-duplicate of an earlier task. */
export function duplicates({ tasks }: AuditInput): Finding[] {
  const sameGold = findSameGold(tasks);
  const alike = findAlike(tasks);
  return tasks.flatMap((task) => {
    const twin = sameGold.get(task);
    const similar = alike.get(task);
    const earlier = twin ?? similar?.task;
    if (earlier === undefined) return [];
    const crosses = earlier.split !== task.split;
    return [
      finding(task, {
        check: "duplicate",
        reason: twin === undefined
          ? `its instruction is nearly the same as that of ${earlier.id}`
          : `it has the same gold writes as ${earlier.id}`,
        evidence: similar === undefined
          ? task.instruction.slice(0, 160)
          : `${
            (similar.share * 100).toFixed(0)
          }% of the word triples are shared`,
        exclude: crosses && task.split !== "train",
      }),
    ];
  });
}

/**
 * Maps each repeated task to the first task with the same user, gold writes and outputs. Tasks without gold writes are
 * not compared.
 */
function findSameGold(tasks: readonly Task[]): Map<Task, Task> {
  const first = new Map<string, Task>();
  const twins = new Map<Task, Task>();
  for (const task of tasks) {
    const writes = task.actions.filter(isWrite);
    if (writes.length === 0) continue;
    const key = JSON.stringify([
      task.userId,
      writes.map((action) => action.name + printPythonJson(action.arguments)),
      task.outputs,
    ]);
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, task);
    else twins.set(task, earlier);
  }
  return twins;
}

/**
 * Finds, for each task, an earlier task with a similar instruction, using MinHash.
 * @see Broder 1997, "On the resemblance and containment of documents".
 */
function findAlike(
  tasks: readonly Task[],
): Map<Task, { task: Task; share: number }> {
  const buckets = new Map<number, Task[]>();
  const shingles = new Map(
    tasks.map((task) => [task, shinglesOf(task.instruction)]),
  );
  const isRare = rareOf(shingles.values());
  const found = new Map<Task, { task: Task; share: number }>();
  for (const task of tasks) {
    const own = shingles.get(task) ?? new Set();
    const minima = [...own].filter(isRare).sort((a, b) => a - b)
      .slice(0, MINIMA);
    const candidates = new Set(minima.flatMap((one) => buckets.get(one) ?? []));
    for (const other of candidates) {
      const share = jaccard(own, shingles.get(other) ?? new Set());
      if (share < ALIKE) continue;
      found.set(task, { task: other, share });
      break;
    }
    for (const one of minima) {
      const bucket = buckets.get(one);
      if (bucket === undefined) buckets.set(one, [task]);
      else bucket.push(task);
    }
  }
  return found;
}

function rareOf(
  all: Iterable<ReadonlySet<number>>,
): (shingle: number) => boolean {
  const counts = new Map<number, number>();
  for (const one of all) {
    for (const shingle of one) {
      counts.set(shingle, (counts.get(shingle) ?? 0) + 1);
    }
  }
  return (shingle) => (counts.get(shingle) ?? 0) <= COMMON;
}

/** Returns the hashes of all sequences of three words in a text. */
function shinglesOf(text: string): Set<number> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}#]+/gu) ?? [];
  const triples = words.slice(2).map((word, i) =>
    `${words[i]} ${words[i + 1]} ${word}`
  );
  return new Set(triples.map(hash));
}

function hash(text: string): number {
  return createHash("md5").update(text).digest().readUInt32LE(0);
}

function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  const common = a.intersection(b).size;
  const all = a.size + b.size - common;
  return all === 0 ? 0 : common / all;
}
