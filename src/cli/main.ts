process.stdout.write('efikit\n');
