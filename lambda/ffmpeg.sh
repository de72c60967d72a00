# SPDX-License-Identifier: BSD-2-Clause
# The parts of xc-lambda that concern the ffmpeg in the function's package, which xc-unpack runs there. It has to run on
# Amazon Linux 2023, and here, too: ./excamera --decode there uses the same one.
# Names are in the variables of xc-lambda.
# shellcheck shell=bash disable=SC2154

glibc=2.34 # of Amazon Linux 2023
largest=240000000 # bytes; Lambda takes packages of 250 MB when they are unpacked

# Where it is. The driver is to find it first on the PATH.
folder_of_ffmpeg() {
    echo "${package%/*}/ffmpeg"
}

# What a program needs that the function does not have: libraries, or a newer C library.
lacking() {
    local needed
    needed=$(ldd "$1" 2>/dev/null | awk '/=>/ { print $1 }' |
        grep -vE '^(libc|libm|libdl|librt|libpthread|libmvec|libgcc_s)\.so' | head -n 1) || true
    [ "$needed" ] || needed=$(grep -aoE 'GLIBC_[0-9]+\.[0-9]+' "$1" | cut -d _ -f 2 | sort -uV | tail -n 1 |
        awk -v most="$glibc" '{ split($1, a, "."); split(most, b, ".")
            if (a[1] > b[1] || (a[1] == b[1] && a[2] > b[2])) print "glibc " $1 }') || true
    printf %s "$needed"
}

check_ffmpeg() {
    local lacks
    if ! "$ffmpeg" -version >/dev/null 2>&1; then
        fail "--ffmpeg: $ffmpeg: is no program that runs here; python3 -m pip install imageio-ffmpeg brings one, and" \
            'python3 -c "import imageio_ffmpeg as i; print(i.get_ffmpeg_exe())" says where it is'
    fi
    lacks=$(lacking "$ffmpeg")
    [ ! "$lacks" ] || fail "--ffmpeg: $ffmpeg: needs $lacks, which the function does not have; take a static one"
    [ "$(stat -c %s "$ffmpeg")" -le "$largest" ] || fail "--ffmpeg: $ffmpeg: is larger than $((largest / 1000000)) MB"
}

# Puts it where `make lambda-package` finds it, or takes it away. The package is made anew.
take_ffmpeg() {
    local folder
    folder=$(folder_of_ffmpeg)
    [ -e "$root/Makefile" ] || fail '--ffmpeg: the package can only be made anew where the sources are'
    if [ "$ffmpeg" = none ]; then
        rm -rf "$folder"
    else
        check_ffmpeg
        mkdir -p "$folder"
        cp "$ffmpeg" "$folder/ffmpeg.tmp"
        mv "$folder/ffmpeg.tmp" "$folder/ffmpeg"
    fi
    rm -f "$package"
}

# Which one the package has: version, licence, size; and what the driver needs to find it.
describe_ffmpeg() {
    local file version licence
    file=$(folder_of_ffmpeg)/ffmpeg
    [ -e "$file" ] || return 0
    version=$("$file" -version | awk 'NR == 1 { print $3 }')
    licence=$("$file" -hide_banner -L | tr -s '\n ' ' ' | sed -nE \
        's/.*not legally redistributable.*/not to be passed on/p; t
         s/.*terms of the (GNU [A-Za-z ]*License) as published.*version ([0-9.]+) of.*/\1 \2/p
         s/.*terms of the (GNU [A-Za-z ]*License) as published.*version ([0-9.]+).*/\1 \2/p' | head -n 1)
    echo "xc-lambda: the package has ffmpeg $version (${licence:-its licence is not known}," \
        "$(($(stat -c %s "$file") / 1000000)) MB); for --decode there, ${file%/*} has to be first on the PATH" >&2
}
