import { declared } from '../service.js';

/** Time services: no profile has them yet, each is a gate that logs its arguments. UEFI 2.10 section 8.3. */
export const timeServices = {
  GetTime: declared({ Time: 'pointer', Capabilities: 'pointer' }),
  SetTime: declared({ Time: 'pointer' }),
  GetWakeupTime: declared({ Enabled: 'pointer', Pending: 'pointer', Time: 'pointer' }),
  SetWakeupTime: declared({ Enable: 'boolean', Time: 'pointer' }),
};
