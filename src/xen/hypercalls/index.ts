import type { Hypercall } from '../hypercall.js';
import { consoleIo } from './console-io.js';
import { domctl, hypfsOp, sysctl } from './control.js';
import { eventChannelOp } from './event-channel.js';
import { grantTableOp } from './grant-table.js';
import { hvmOp } from './hvm.js';
import { memoryOp } from './memory.js';
import { multicall } from './multicall.js';
import { physdevOp } from './physdev.js';
import { platformOp } from './platform.js';
import { schedOp } from './sched.js';
import { setTimerOp } from './set-timer.js';
import { vcpuOp } from './vcpu.js';
import { xenVersionOp } from './version.js';
import { vmAssist } from './vm-assist.js';
import { xenpmuOp } from './xenpmu.js';

/** Every hypercall that an HVM domain has; others are -ENOSYS. */
export const hypercalls: readonly Hypercall[] = [
  platformOp,
  memoryOp,
  multicall,
  setTimerOp,
  xenVersionOp,
  consoleIo,
  grantTableOp,
  vmAssist,
  vcpuOp,
  schedOp,
  eventChannelOp,
  physdevOp,
  hvmOp,
  sysctl,
  domctl,
  xenpmuOp,
  hypfsOp,
];
