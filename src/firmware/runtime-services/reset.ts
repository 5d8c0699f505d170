import { ResetType } from '../../../firmware-tables/uefi/runtime-services.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { declared, service } from '../service.js';

/** EFI_RUNTIME_SERVICES.ResetSystem(): does not return to the guest. UEFI 2.10 section 8.5.1. */
const ResetSystem = service(
  { ResetType: 'resetType', ResetStatus: 'status', DataSize: 'uintn', ResetData: 'pointer' },
  (fw, { ResetType: type }) => {
    switch (type) {
      case ResetType.EfiResetShutdown:
        fw.host.poweroff('ResetSystem(EfiResetShutdown)');
        return Status.SUCCESS;
      case ResetType.EfiResetCold:
        fw.host.reset('cold', 'ResetSystem(EfiResetCold)');
        return Status.SUCCESS;
      case ResetType.EfiResetWarm:
        fw.host.reset('warm', 'ResetSystem(EfiResetWarm)');
        return Status.SUCCESS;
      case ResetType.EfiResetPlatformSpecific:
        fw.host.reset('platform-specific', 'ResetSystem(EfiResetPlatformSpecific)');
        return Status.SUCCESS;
      default:
        return Status.INVALID_PARAMETER;
    }
  },
);

/** Miscellaneous runtime services. UEFI 2.10 section 8.5. */
export const resetServices = {
  ResetSystem,
  GetNextHighMonotonicCount: declared({ HighCount: 'pointer' }),
  UpdateCapsule: declared({ CapsuleHeaderArray: 'pointer', CapsuleCount: 'uintn', ScatterGatherList: 'pointer' }),
  QueryCapsuleCapabilities: declared({
    CapsuleHeaderArray: 'pointer',
    CapsuleCount: 'uintn',
    MaximumCapsuleSize: 'pointer',
    ResetType: 'pointer',
  }),
};
