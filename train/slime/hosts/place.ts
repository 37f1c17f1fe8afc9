/**
 * Where a host's commands run: by its own shell, in a container, or in a virtual environment. hosts.yaml says it,
 * or the manifest of the set-up that made it; every command that runs on a host runs there.
 */

import { z } from "zod";
import type { HostShells } from "./host_shells.ts";
import { pathWord, type Shell } from "./shell.ts";

/** A container's name. */
export const containerName = z.string().regex(
  /^[a-zA-Z0-9][\w.-]*$/,
  "a container's name",
);

/** What runs containers. */
export const containerEngine = z.enum(["docker", "podman"]);

/** What git or a shell cannot take for an option. */
export const placeWord = z.string().regex(
  /^[^-\s]\S*$/,
  "a word that begins with no dash",
);

/** As a manifest holds it. */
export const placeSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("host") }),
  z.strictObject({
    kind: z.literal("container"),
    engine: containerEngine,
    name: containerName,
  }),
  z.strictObject({ kind: z.literal("venv"), dir: placeWord }),
]);

/** Where a host's commands run. */
export type Place = Readonly<z.infer<typeof placeSchema>>;

/** A container of a host. */
export type ContainerPlace = Extract<Place, { kind: "container" }>;

/** The host's own shell. */
export const HOST_ITSELF: Place = { kind: "host" };

/** Words that run a command in a place's container; none for other places. */
export function wordsWithin(place: Place): string[] {
  return place.kind === "container"
    ? [place.engine, "exec", "-i", place.name]
    : [];
}

/** The shell of a place. */
export function shellAt(shells: HostShells, place: Place): Shell {
  return place.kind === "venv"
    ? inVenv(shells.host, place.dir)
    : shells.within(wordsWithin(place));
}

/** The place in a few words: `container taulab-slime`. */
export function placeText(place: Place): string {
  switch (place.kind) {
    case "host":
      return "its own shell";
    case "container":
      return `container ${place.name} of ${place.engine}`;
    case "venv":
      return `virtual environment ${place.dir}`;
  }
}

/** As `activate` does: its programs are found before others of their name. */
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
