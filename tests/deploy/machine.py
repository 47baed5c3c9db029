"""An emulated machine: QEMU with a root folder as its disk and a Debian kernel."""

import pathlib
import shutil
import subprocess
import tempfile

import fresh_root

KERNEL = "linux-image-cloud-amd64"  # small, with built-in boot drivers: needs no initrd
SECONDS = 2400  # from power on to power off, emulated, on a busy machine
TOOLS = ("qemu-system-x86_64", "mke2fs", "dpkg-deb")


def skip_reason():
    """One line, where no machine can be made; else None."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    return f"not installed: {', '.join(missing)}" if missing else fresh_root.skip_reason()


def put_kernel(root):
    """Unpacks the Debian kernel of a fresh root into it, and returns the kernel's path."""
    name = root.run("apt-cache", "depends", "--important", KERNEL)
    image = next(word for word in name.split() if word.startswith("linux-image-6"))
    root.run("sh", "-c", f"cd /tmp && apt-get -q download {image}")
    (package,) = (root.path / "tmp").glob("linux-image-*.deb")
    with tempfile.TemporaryDirectory(prefix="procevent-kernel-") as folder:
        fresh_root.run("dpkg-deb", "-x", package, folder)  # not over the root, where it would replace the link /lib
        package.unlink()
        (kernel,) = pathlib.Path(folder, "boot").glob("vmlinuz-*")
        shutil.copy(kernel, root.path / "boot")
        shutil.copytree(f"{folder}/lib/modules", root.path / "lib/modules", dirs_exist_ok=True, symlinks=True)
    root.run("depmod", kernel.name.removeprefix("vmlinuz-"))
    return root.path / "boot" / kernel.name


def copy_root(root, target):
    """Copies a root folder without what is mounted in it, so that the copy can become a disk."""
    fresh_root.run("cp", "-a", "--one-file-system", root, target)


def make_disk(root, disk):
    """Writes the files of a folder, without mounts, to a new disk image."""
    fresh_root.run("mke2fs", "-q", "-t", "ext4", "-d", root, disk, "3G")


def command(kernel, disk, cpus, megabytes, *options):
    """The command line of a machine with emulated CPUs. It prints the serial line and ends at power off."""
    return ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", str(cpus), "-m", str(megabytes), "-nographic",
            "-no-reboot", "-kernel", str(kernel), "-append", "root=/dev/nvme0n1 rw console=ttyS0 panic=-1 quiet",
            "-drive", f"file={disk},if=none,id=disk,format=raw", "-device", "nvme,drive=disk,serial=1", *options]


def boot(root, kernel, folder, log):
    """Boots a copy of the root and waits for power off. The serial line's output goes to the file `log`."""
    folder = pathlib.Path(folder)
    copy_root(root.path, folder / "root")
    make_disk(folder / "root", folder / "disk")
    with open(log, "wb") as serial:
        subprocess.run(command(kernel, folder / "disk", 2, 1024, "-nic", "none"), stdin=subprocess.DEVNULL,
                       stdout=serial, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
