import { Status } from '../../../firmware-tables/uefi/status.js';
import { service } from '../service.js';

/** EFI_SIMPLE_TEXT_INPUT_PROTOCOL.Reset(). UEFI 2.10 section 12.3.2. */
const Reset = service({ This: 'pointer', ExtendedVerification: 'boolean' }, (fw) => {
  fw.keyboard.clear();
  return Status.SUCCESS;
});

/** EFI_SIMPLE_TEXT_INPUT_PROTOCOL.ReadKeyStroke(). UEFI 2.10 section 12.3.3. */
const ReadKeyStroke = service({ This: 'pointer', Key: 'pointer' }, (fw, { Key }, show) => {
  if (Key === 0n) return Status.INVALID_PARAMETER;
  fw.guest.requireWritable(Key, 4);
  const key = fw.keyboard.read();
  if (key === undefined) return Status.NOT_READY;
  fw.guest.writeU32(Key, key.scanCode | (key.unicode << 16)); // EFI_INPUT_KEY: two UINT16
  show('Key', `scan code 0x${key.scanCode.toString(16)}, character 0x${key.unicode.toString(16)}`);
  return Status.SUCCESS;
});

export const textInputServices = {
  'SimpleTextInput.Reset': Reset,
  'SimpleTextInput.ReadKeyStroke': ReadKeyStroke,
};
