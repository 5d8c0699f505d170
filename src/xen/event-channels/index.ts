export { EventChannels } from './event-channels.js';
export { EventChannelError } from './event-channel-error.js';
export type { EventChannelOptions } from './options.js';
export type { EventChannelsState } from './state.js';
export { domidSelf } from './domains.js';
export { EventChannelStatus, type PortStatus } from './status.js';
export { Virq, virqCount, virqIsGlobal } from './virq.js';
