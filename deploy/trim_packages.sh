#!/bin/sh
# Takes out of installed packages what no image ever reads: sh deploy/trim_packages.sh <site-packages>
# tests/backend/web/test_web_image.py walks all routes over packages that were trimmed by it.
set -eu
cd "$1"
# Tests, and what is there for those who compile or link against a package.
find . -type d -name tests ! -path ./numpy/_core/tests -prune -exec rm -rf {} +  # numpy.testing reads that one
rm -rf torch/test torch/include torch/share pyarrow/include pyarrow/src numpy/_core/include
if [ -d torch/bin ]; then find torch/bin -mindepth 1 ! -name torch_shm_manager -exec rm -rf {} +; fi
find . -name '*.a' -delete
# Python has its own copy of onnxruntime's library in its module.
rm -f onnxruntime/capi/libonnxruntime.so.*
# What S3's library knows of other services.
if [ -d botocore/data ]; then
    find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts ! -name 'sso*' -exec rm -rf {} +
fi
# Names of people in other languages (label-studio-sdk asks for jsf, and jsf for Faker), but for what each part of Faker
# falls back on.
for provider in faker/providers/*/; do
    [ -e "$provider/__init__.py" ] || continue
    usual=$(sed -n "s/^default_locale = [\"']\(.*\)[\"']$/\1/p" "$provider/__init__.py")
    find "$provider" -mindepth 1 -maxdepth 1 -type d ! -name "en*" ! -name "${usual:-en_US}" -exec rm -rf {} +
done
