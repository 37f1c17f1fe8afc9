/**
 * Creates the setup steps that pull slime's published image and start a container from it, with docker or podman.
 * @see slime `docs/en/get_started/quick_start.md` at 624b824: the flags of `docker run`.
 */

import { createHash } from "node:crypto";
import type { ContainerPlace } from "../hosts/place.ts";
import { pathWord, quote, quoteWords } from "../hosts/shell.ts";
import type { Step } from "./step.ts";

/** Options for {@linkcode imageStep} and {@linkcode containerStep}: the container to create. */
export interface ContainerOptions {
  readonly engine: ContainerPlace["engine"];
  readonly image: string;
  readonly name: string;
  /**
   * The directories to mount, with the same path inside and outside, so that they continue to exist when the container
   * is removed.
   */
  readonly mounts: readonly string[];
}

/** The name of the container label that identifies the flags with which a container was started. */
export const LABEL = "taulab.setup";

/** Creates the step that pulls the image if it is missing. An existing image is not updated. */
export function imageStep({ engine, image }: ContainerOptions): Step {
  return {
    id: "image",
    title: `image ${image}`,
    checks: `${engine} has it`,
    check: `${engineUp(engine)}
i=$(${engine} image inspect -f '{{.Id}}' ${
      quote(image)
    } 2>/dev/null) || say "todo absent"
echo "done $i"`,
    commands: () => [
      { script: `${engine} pull ${quote(image)}`, network: true },
    ],
    made: () => ({ kind: "image", engine, image }),
  };
}

/** Creates the step that starts the container, or restarts it if it is stopped. */
export function containerStep(options: ContainerOptions): Step {
  const { engine, name, mounts } = options;
  const label = labelOf(options);
  return {
    id: "container",
    title: `container ${name} of ${options.image}`,
    checks: "it is running and was started with the same flags",
    check: `${engineUp(engine)}
l=$(${engine} container inspect -f '{{.State.Running}} {{index .Config.Labels "${LABEL}"}}' ${
      quote(name)
    } 2>/dev/null) || say "todo absent"
[ "$l" != 'true ${label}' ] || say "done runs"
[ "$l" != 'false ${label}' ] || say "todo stopped"
say "refused the container ${name} already exists and was created with other flags; choose another name with --container or in hosts.yaml, or remove it with deno task setup --undo --only container"`,
    commands: (was) =>
      was === "stopped" ? [{ script: `${engine} start ${quote(name)}` }] : [
        { script: `mkdir -p ${mounts.map(pathWord).join(" ")}` },
        { script: runScript(options, label) },
      ],
    made: (was) =>
      was === "stopped"
        ? undefined
        : { kind: "container", engine, name, label, mounts: [...mounts] },
  };
}

/**
 * Returns the value of the label, a digest of the flags. It distinguishes the container from one with the same name
 * that was created with other flags.
 */
function labelOf(options: ContainerOptions): string {
  return createHash("sha256").update(runScript(options, "")).digest("hex")
    .slice(0, 16);
}

function runScript(options: ContainerOptions, label: string): string {
  const { engine, image, name, mounts } = options;
  const words = [
    ...[engine, "run", "--detach", "--init", "--name", name],
    ...["--label", `${LABEL}=${label}`],
    ...engine === "docker"
      ? ["--gpus", "all", "--shm-size", "16g"]
      : ["--device", "nvidia.com/gpu=all"], // podman accepts no size for the host's shared memory
    ...["--network", "host", "--ipc", "host"],
    ...["--ulimit", "memlock=-1", "--ulimit", "stack=67108864"],
    ...mounts.flatMap((dir) => ["--volume", `${dir}:${dir}`]),
    ...["--entrypoint", "sleep", image, "infinity"],
  ];
  return quoteWords(words);
}

function engineUp(engine: string): string {
  return `needs ${
    pathWord(engine)
  } "install it, or set up the bare host with --in bare"
${engine} version >/dev/null 2>&1 || say "refused ${engine} does not respond; start it, and check with ${engine} version that this user may use it"`;
}
