/** The checks, in the order in which a run would fall over what they look at. */

import type { Check } from "./check.ts";
import { baseRate } from "./checks/base_rate.ts";
import { batch } from "./checks/batch.ts";
import { context } from "./checks/context.ts";
import { customers } from "./checks/customers.ts";
import { disk, sharedMemory } from "./checks/disk.ts";
import { engines } from "./checks/engines.ts";
import { gpus } from "./checks/gpus.ts";
import { hook } from "./checks/hook.ts";
import { memory } from "./checks/memory.ts";
import { modelConfig } from "./checks/model_config.ts";
import { modelFiles } from "./checks/model_files.ts";
import { nvlink } from "./checks/nvlink.ts";
import { ports } from "./checks/ports.ts";
import { ray } from "./checks/ray.ts";
import { rows } from "./checks/rows.ts";
import { secrets } from "./checks/secrets.ts";
import { services } from "./checks/services.ts";
import { software } from "./checks/software.ts";
import { template } from "./checks/template.ts";

/** All of them; the check `hosts` is made before, as the others depend on it. */
export const CHECKS: readonly Check[] = [
  gpus,
  nvlink,
  memory,
  disk,
  sharedMemory,
  software,
  ports,
  ray,
  modelFiles,
  modelConfig,
  template,
  rows,
  batch,
  context,
  hook,
  customers,
  secrets,
  services,
  baseRate,
  engines,
];
