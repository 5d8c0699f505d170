import { Status } from '../../../firmware-tables/uefi/status.js';
import { byteCount } from '../guest-access.js';
import { declared, service } from '../service.js';

/** The characters in front of the first NUL, or all. */
function leadingString(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = '';
  for (let at = 0; at + 2 <= bytes.length && view.getUint16(at, true) !== 0; at += 2) {
    text += String.fromCharCode(view.getUint16(at, true));
  }
  return text;
}

/**
 * EFI_BOOT_SERVICES.Exit(): ends the image. ExitData is a NUL-terminated string and then what the image likes; with
 * EFI_SUCCESS it is ignored. UEFI 2.10 section 7.4.5.
 */
const Exit = service(
  { ImageHandle: 'handle', ExitStatus: 'status', ExitDataSize: 'uintn', ExitData: 'pointer' },
  (fw, { ImageHandle, ExitStatus, ExitDataSize, ExitData }) => {
    if (ImageHandle !== fw.imageHandle) return Status.INVALID_PARAMETER;
    const given = ExitStatus !== Status.SUCCESS && ExitData !== 0n && ExitDataSize !== 0n;
    const text = given ? leadingString(fw.guest.read(ExitData, byteCount(ExitDataSize, ExitData))) : undefined;
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
