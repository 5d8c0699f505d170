import { Status } from '../../../firmware-tables/uefi/status.js';
import { declared, service } from '../service.js';

/** EFI_BOOT_SERVICES.Exit(): ends the image. ExitData opens with a NUL-terminated string. UEFI 2.10 section 7.4.5. */
const Exit = service(
  { ImageHandle: 'handle', ExitStatus: 'status', ExitDataSize: 'uintn', ExitData: 'pointer' },
  (fw, { ImageHandle, ExitStatus, ExitDataSize, ExitData }) => {
    if (ImageHandle !== fw.imageHandle) return Status.INVALID_PARAMETER;
    const text = ExitData === 0n || ExitDataSize === 0n ? undefined : fw.guest.readString16(ExitData);
    fw.host.exit(ExitStatus, text);
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.ExitBootServices(). UEFI 2.10 section 7.4.6. */
const ExitBootServices = service({ ImageHandle: 'handle', MapKey: 'uintn' }, (fw, { ImageHandle, MapKey }) => {
  if (ImageHandle !== fw.imageHandle) return Status.INVALID_PARAMETER;
  if (MapKey !== BigInt(fw.memoryMap.key)) return Status.INVALID_PARAMETER; // the map changed since it was read
  fw.leaveBootServices();
  return Status.SUCCESS;
});

/** Image services. UEFI 2.10 section 7.4. */
export const imageServices = {
  Exit,
  ExitBootServices,
  LoadImage: declared({
    BootPolicy: 'boolean',
    ParentImageHandle: 'handle',
    DevicePath: 'pointer',
    SourceBuffer: 'pointer',
    SourceSize: 'uintn',
    ImageHandle: 'pointer',
  }),
  StartImage: declared({ ImageHandle: 'handle', ExitDataSize: 'pointer', ExitData: 'pointer' }),
  UnloadImage: declared({ ImageHandle: 'handle' }),
};
