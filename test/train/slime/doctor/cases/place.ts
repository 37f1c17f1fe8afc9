/**
 * Lists test cases for the doctor's checks of where commands run: the host itself, containers and virtual environments.
 */

import type { CheckContext } from "../../../../../train/slime/doctor/check.ts";
import { hostTaulab } from "../../../../../train/slime/setup/host_taulab.ts";
import type { Place } from "../../../../../train/slime/hosts/place.ts";
import {
  type Answer,
  checkContext,
  slimeOf,
  toldShell,
} from "../../../../support/doctor.ts";
import type { Case } from "./_case.ts";

/** Creates a context whose host has a scripted answer about its container or virtual environment. */
function placed(place: Place, answer: Answer = {}): CheckContext {
  const outside = toldShell({ inspect: answer, "/opt/slime/bin": answer });
  const host = {
    ...toldShell({}),
    outside,
    taulab: hostTaulab(),
    place: () => Promise.resolve(place),
  };
  return checkContext(slimeOf(), { hosts: [host], places: [host] });
}

const CONTAINER = { kind: "container", engine: "docker", name: "c" } as const;
const VENV = { kind: "venv", dir: "/opt/slime" } as const;

function container(network: string, ...mounts: string[]): string {
  const all = mounts.map((Destination) => ({ Type: "bind", Destination }));
  return JSON.stringify({ network, mounts: all });
}

/** The test cases for the checks of where commands run. */
export const CASES: readonly Case[] = [
  {
    check: "place",
    state: "pass",
    name: "the host itself",
    says: /^commands run in the host's own shell$/,
    world: () => placed({ kind: "host" }),
  },
  {
    check: "place",
    state: "pass",
    name: "a container that setup created",
    says: /^commands run in the docker container c$/,
    world: () => placed(CONTAINER, container("host", "/root")),
  },
  {
    check: "place",
    state: "fail",
    name: "a container with a separate network",
    says: /the network of the container c is "bridge"/,
    fix: /--network host/,
    world: () => placed(CONTAINER, container("bridge", "/root")),
  },
  {
    check: "place",
    state: "warn",
    name: "runs that would be lost with the container",
    says: /^the container c does not mount \/root\/taulab-runs/,
    fix: /mount each/,
    world: () =>
      placed(CONTAINER, container("host", "/root/taulab-checkpoints")),
  },
  {
    check: "place",
    state: "fail",
    name: "a missing container",
    says: /gpu1: there is no container "c"/,
    fix: /create it with "deno task setup"/,
    world: () =>
      placed(CONTAINER, {
        code: 1,
        stderr: "Error response from daemon: No such container: c",
      }),
  },
  {
    check: "place",
    state: "pass",
    name: "a virtual environment",
    says: /^commands run in the virtual environment \/opt\/slime$/,
    world: () => placed(VENV),
  },
  {
    check: "place",
    state: "fail",
    name: "a missing virtual environment",
    says: /there is no virtual environment in "\/opt\/slime"/,
    fix: /deno task setup --host gpu1/,
    world: () => placed(VENV, { code: 1 }),
  },
];
