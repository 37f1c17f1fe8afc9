/**
 * Defines where a host's commands run: on the host itself, in a container, or in a virtual environment. The container
 * or virtual environment is set in hosts.yaml, or else recorded in the manifest of the setup that created it.
 */

import { z } from "zod";
import type { HostShells } from "./host_shells.ts";
import { pathWord, type Shell } from "./shell.ts";

/** The schema of a container's name. */
export const containerName = z.string().regex(
  /^[a-zA-Z0-9][\w.-]*$/,
  "expected a container name that starts with a letter or digit and has only letters, digits, dots, dashes and underscores",
);

/** The schema of a container engine, the program that runs containers. */
export const containerEngine = z.enum(["docker", "podman"]);

/** The schema of a word that git or a shell cannot mistake for an option. */
export const placeWord = z.string().regex(
  /^[^-\s]\S*$/,
  "expected a word without spaces or a leading dash",
);

/** The schema of a {@linkcode Place} in setup's manifest. */
export const placeSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("host") }),
  z.strictObject({
    kind: z.literal("container"),
    engine: containerEngine,
    name: containerName,
  }),
  z.strictObject({ kind: z.literal("venv"), dir: placeWord }),
]);

/** Where a host's commands run: on the host itself, in a container, or in a virtual environment. */
export type Place = Readonly<z.infer<typeof placeSchema>>;

/** A container on a host. */
export type ContainerPlace = Extract<Place, { kind: "container" }>;

/** The place of commands that run on the host itself. */
export const HOST_ITSELF: Place = { kind: "host" };

/** Returns the prefix of commands that run in a container, such as `docker exec -i NAME`; empty for any other place. */
export function wordsWithin(place: Place): string[] {
  return place.kind === "container"
    ? [place.engine, "exec", "-i", place.name]
    : [];
}

/** Returns a shell that runs commands on the host itself, in a container, or in a virtual environment. */
export function shellAt(shells: HostShells, place: Place): Shell {
  return place.kind === "venv"
    ? inVenv(shells.host, place.dir)
    : shells.within(wordsWithin(place));
}

/** Describes a {@linkcode Place}, such as `the docker container taulab-slime`. */
export function placeText(place: Place): string {
  switch (place.kind) {
    case "host":
      return "the host's own shell";
    case "container":
      return `the ${place.engine} container ${place.name}`;
    case "venv":
      return `the virtual environment ${place.dir}`;
  }
}

/**
 * Returns a shell with the virtual environment's programs first on PATH, as after running the environment's `activate`
 * script.
 */
function inVenv(shell: Shell, dir: string): Shell {
  const path = pathWord(dir);
  const activate =
    `export VIRTUAL_ENV=${path} PATH=${path}/bin:"$PATH"; unset PYTHONHOME`;
  const within = (script: string) => `${activate}\n${script}`;
  return {
    name: shell.name,
    run: ({ script, ...rest }, options) =>
      shell.run({ ...rest, script: within(script) }, options),
    describe: ({ script, ...rest }) =>
      shell.describe({ ...rest, script: `PATH=${path}/bin:"$PATH" ${script}` }),
  };
}
