# The part of xc-lambda that creates, updates and removes things in the account, and the rights that this needs. The
# functions find names and options in the variables of xc-lambda.
# shellcheck shell=bash disable=SC2154

timeout=900 disk=2048 # seconds and megabytes that a function has

# change COMMAND...: runs a command that changes the account; with --dry-run, only prints it.
change() {
    if [ "$dry_run" ]; then
        printf 'would run:'
        printf ' %q' "$@"
        printf '\n'
    else
        "$@" >/dev/null
    fi
}

# patiently PATTERN COMMAND...: like change, for what may have to wait for an earlier change: repeats the command for up
# to five minutes as long as its message contains PATTERN (an extended regular expression).
patiently() {
    local pattern=$1 give_up_at=$((SECONDS + 300)) pause=1 said status
    shift
    while status=0; said=$(change "$@" 2>&1) || status=$?; [ "$status" != 0 ]; do
        if ! [[ $said =~ $pattern ]] || [ "$SECONDS" -ge "$give_up_at" ]; then
            printf '%s\n' "$said" >&2
            exit "$status"
        fi
        sleep "$pause"
        pause=$((pause < 8 ? pause * 2 : 8))
    done
    printf '%s' "${said:+$said$'\n'}"
}

# ---- The bucket ----

bucket_exists() {
    aws s3api head-bucket "${of_bucket[@]}" >/dev/null 2>&1
}

# Whether an earlier deploy of this function has created the bucket, or taken it over.
bucket_is_ours() {
    aws s3api get-bucket-tagging "${of_bucket[@]}" --query 'TagSet[].[Key,Value]' 2>/dev/null |
        grep -qxF "excamera"$'\t'"$function"
}

# Whether the bucket is empty and untagged, as an interrupted deploy leaves it.
bucket_is_unused() {
    ! aws s3api get-bucket-tagging "${of_bucket[@]}" >/dev/null 2>&1 &&
        [ "$(aws s3api list-objects-v2 "${of_bucket[@]}" --max-keys 1 --query KeyCount)" = 0 ]
}

# Refuses a bucket that would keep what should go, or that the function's role could not use.
check_bucket() {
    local key
    case $(aws s3api get-bucket-versioning "${of_bucket[@]}" --query Status) in
    Enabled | Suspended)
        fail "bucket $bucket has versions: what is deleted there stays and costs; XC_LAMBDA_BUCKET names another one" ;;
    esac
    key=$(aws s3api get-bucket-encryption "${of_bucket[@]}" --query \
        'ServerSideEncryptionConfiguration.Rules[].ApplyServerSideEncryptionByDefault.KMSMasterKeyID' 2>/dev/null) || true
    case $key in
    '' | None | *alias/aws/s3) ;;
    *) fail "bucket $bucket is encrypted with $key, which the function may not use; XC_LAMBDA_BUCKET names another one" ;;
    esac
}

# What the workstation has can be uploaded again, so it goes first. It has the tag that lambda/aws.c gives.
bucket_rules() {
    local rule id filter comma=
    for rule in raw:2 code:1 meet:2 data:7 task:7 film:7; do
        id=${rule%:*} filter="{Prefix=${rule%:*}/}"
        [ "$id" != raw ] || filter='{Tag={Key=excamera,Value=raw}}'
        printf '%s{ID=%s,Status=Enabled,Filter=%s,Expiration={Days=%s}}' "$comma" "$id" "$filter" "${rule#*:}"
        comma=,
    done
}

# S3 may still be removing a bucket of that name, or may not know everywhere that there is a new one.
deploy_bucket() {
    local where=() settle='OperationAborted|NoSuchBucket'
    if bucket_exists; then
        bucket_is_ours || bucket_is_unused ||
            fail "bucket $bucket is used for something else; XC_LAMBDA_BUCKET names another one"
        check_bucket
    else
        [ "$region" = us-east-1 ] || where=(--create-bucket-configuration "LocationConstraint=$region")
        patiently "$settle" aws s3api create-bucket --bucket "$bucket" "${where[@]}"
    fi
    bucket_is_ours || patiently "$settle" aws s3api put-bucket-tagging "${of_bucket[@]}" \
        --tagging "TagSet=[{Key=excamera,Value=$function}]"
    patiently "$settle" aws s3api put-public-access-block "${of_bucket[@]}" --public-access-block-configuration \
        BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
    patiently "$settle" aws s3api put-bucket-lifecycle-configuration "${of_bucket[@]}" \
        --lifecycle-configuration "Rules=[$(bucket_rules)]"
}

# ---- Rights ----

# allow RESOURCES ACTIONS [CONDITION]: prints a statement of a policy. The first two are lists, separated by blanks or line ends.
allow() {
    local resources actions
    mapfile -t resources < <(xargs -n 1 <<<"$1")
    mapfile -t actions < <(xargs -n 1 <<<"$2")
    printf '{"Effect": "Allow", "Action": [%s], "Resource": [%s]%s}' "$(quoted "${actions[@]}")" \
        "$(quoted "${resources[@]}")" "${3:+, \"Condition\": $3}"
}

quoted() {
    local all
    printf -v all '"%s", ' "$@"
    printf %s "${all%, }"
}

# policy_of STATEMENT...
policy_of() {
    local IFS=,
    printf '{"Version": "2012-10-17", "Statement": [%s]}\n' "$*"
}

# of_account: the condition that a bucket belongs to our account, whoever owns its name by then.
of_account() {
    printf '{"StringEquals": {"aws:ResourceAccount": "%s"}}' "$account"
}

# The objects that functions read and write.
objects() {
    printf "$arn_s3/%s/* " data task meet
}

# The function may read and write its objects and write its log. It may list the bucket, because without that S3 answers
# 403 instead of 404 for an object that does not exist.
function_policy() {
    policy_of "$(allow "$(objects)" 's3:GetObject s3:PutObject' "$(of_account)")" \
        "$(allow "$arn_s3" s3:ListBucket "$(of_account)")" \
        "$(allow "$arn_log:*" 'logs:CreateLogStream logs:PutLogEvents')"
}

# Who encodes: make, ./excamera, xc-lambda fetch, clean, start, status and collect.
policy_run() {
    policy_of "$(allow "$arn_function $arn_function:* $arn_function-*" \
            'lambda:InvokeFunction lambda:GetFunctionConfiguration')" \
        "$(allow "$(objects) $arn_s3/film/*" 's3:GetObject s3:PutObject s3:PutObjectTagging s3:DeleteObject' \
            "$(of_account)")" \
        "$(allow "$arn_s3" 's3:ListBucket s3:GetBucketTagging' "$(of_account)")" \
        "$(allow "$arn_machine-* ${arn_machine/:stateMachine:/:execution:}-*" \
            'states:StartExecution states:DescribeExecution states:DescribeStateMachine')" \
        "$(allow '*' sts:GetCallerIdentity)"
}

# Who calls xc-lambda deploy, status, logs and destroy.
policy_deploy() {
    policy_of "$(allow "$arn_s3" 's3:CreateBucket s3:DeleteBucket s3:ListBucket s3:GetBucketTagging s3:PutBucketTagging
            s3:GetBucketVersioning s3:GetEncryptionConfiguration s3:PutBucketPublicAccessBlock
            s3:PutLifecycleConfiguration')" \
        "$(allow "$arn_s3/*" 's3:GetObject s3:PutObject s3:DeleteObject')" \
        "$(allow "$arn_role $arn_steps_role $arn_states_role" \
            'iam:GetRole iam:CreateRole iam:PutRolePolicy iam:DeleteRolePolicy iam:DeleteRole')" \
        "$(allow "$arn_role $arn_steps_role" iam:PassRole "$(passed_to lambda)")" \
        "$(allow "$arn_states_role" iam:PassRole "$(passed_to states)")" \
        "$(allow "$arn_function $arn_function-*" 'lambda:GetFunction lambda:GetFunctionConfiguration
            lambda:CreateFunction lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration
            lambda:PutFunctionConcurrency lambda:PutFunctionRecursionConfig lambda:DeleteFunction')" \
        "$(allow "$arn_machine-*" 'states:CreateStateMachine states:UpdateStateMachine states:DescribeStateMachine
            states:DeleteStateMachine')" \
        "$(allow "$arn_log $arn_log:* $arn_log-*" 'logs:CreateLogGroup logs:PutRetentionPolicy logs:FilterLogEvents
            logs:DeleteLogGroup')" \
        "$(allow '*' 'lambda:GetAccountSettings logs:DescribeLogGroups sts:GetCallerIdentity')"
}

# passed_to SERVICE: the condition that a role is handed to that service.
passed_to() {
    printf '{"StringEquals": {"iam:PassedToService": "%s.amazonaws.com"}}' "$1"
}

# What is the same in all regions is said once.
policy() {
    [[ $# = 1 && $1 =~ ^(deploy|run)$ ]] || fail 'policy: takes deploy or run'
    look_around
    in_each_region "policy_$1" | python3 -c '
import json, sys
policies = list(map(json.loads, sys.stdin))
statements = [statement for policy in policies for statement in policy["Statement"]]
once = [statement for place, statement in enumerate(statements) if statement not in statements[:place]]
print(json.dumps({**policies[0], "Statement": once}, indent=4))'
}

# ---- Role, log and function ----

role_exists() {
    aws iam get-role --role-name "$1" >/dev/null 2>&1
}

# deploy_role ROLE SERVICE POLICY: the service may take the role.
deploy_role() {
    role_exists "$1" || change aws iam create-role --role-name "$1" --assume-role-policy-document '{
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "'"$2"'.amazonaws.com"}}]}'
    change aws iam put-role-policy --role-name "$1" --policy-name "$function" --policy-document "$3"
}

# our_log_groups: prints the names of those that exist.
our_log_groups() {
    aws logs describe-log-groups --log-group-name-prefix "$log_group" --query 'logGroups[].[logGroupName]' |
        grep -xE "$log_group(-($(tr ' ' '|' <<<"$step_functions")))?"
}

# deploy_log_group GROUP, which is not made if $log_groups has it.
deploy_log_group() {
    grep -qxF "$1" <<<"$log_groups" || change aws logs create-log-group --log-group-name "$1"
    change aws logs put-retention-policy --log-group-name "$1" --retention-in-days 7
}

# The package goes to the bucket once, however often a command that names it has to be repeated, and for all functions.
upload_package() {
    [ "$uploaded" ] || change aws s3api put-object "${of_bucket[@]}" --key "code/$digest" --body "$package"
    uploaded=yes
}

wait_for_update() {
    change aws lambda wait function-updated-v2 --function-name "$name"
}

# update_function CODE CONFIGURATION: updates what differs. The second is as deploy_function asks for it.
update_function() {
    local busy=ResourceConflictException wanted
    wanted=$(printf '%s\t' "$runtime" "$role_of_it" "$memory" "$timeout" "$disk" "$endpoint")${compress:-None}
    if [ "$1" != "$digest" ]; then
        upload_package
        patiently "$busy" aws lambda update-function-code --function-name "$name" --architectures "$arch" \
            --s3-bucket "$bucket" --s3-key "code/$digest"
        wait_for_update
    fi
    if [ "$2" != "$wanted" ]; then
        patiently "$busy|cannot be assumed" aws lambda update-function-configuration --function-name "$name" \
            "${configuration[@]}"
        wait_for_update
    fi
}

# deploy_function NAME HANDLER RUNTIME ARN-OF-ROLE. Lambda may not know a new role for some seconds.
deploy_function() {
    local name=$1 handler=$2 runtime=$3 role_of_it=$4 found configuration compress=${XC_COMPRESS_STATES-}
    [[ $compress =~ ^[01]?$ ]] || fail "XC_COMPRESS_STATES: '$compress' is neither 0 nor 1"
    configuration=(--runtime "$runtime" --role "$role_of_it" --memory-size "$memory" --timeout "$timeout"
        --ephemeral-storage "Size=$disk" --environment \
        "Variables={AWS_ENDPOINT_URL_S3=$endpoint${compress:+,XC_COMPRESS_STATES=$compress}}")
    if found=$(aws lambda get-function-configuration --function-name "$name" --query '[CodeSha256,Runtime,Role,
        MemorySize,Timeout,EphemeralStorage.Size,Environment.Variables.AWS_ENDPOINT_URL_S3,
        Environment.Variables.XC_COMPRESS_STATES]' 2>/dev/null); then
        update_function "${found%%$'\t'*}" "${found#*$'\t'}"
    else
        upload_package
        patiently 'cannot be assumed' aws lambda create-function --function-name "$name" --handler "$handler" \
            --architectures "$arch" "${configuration[@]}" --code "S3Bucket=$bucket,S3Key=code/$digest"
        change aws lambda wait function-active-v2 --function-name "$name"
    fi
}

reserve_concurrency() {
    if [ "$concurrency" ]; then
        change aws lambda put-function-concurrency --function-name "$function" \
            --reserved-concurrent-executions "$concurrency"
    fi
}

# New accounts may run ten functions at the same time, which is far less than the 1,000 that AWS's documents name.
note_quota() {
    local quota
    quota=$(aws lambda get-account-settings --query AccountLimit.ConcurrentExecutions 2>/dev/null) || return 0
    if [ "$quota" -lt 100 ]; then
        echo "xc-lambda: this account runs $quota functions at the same time${several:+ in $region}: use make" \
            "-j$quota, and ask for more in the console (Service Quotas, AWS Lambda, Concurrent executions)" >&2
    fi
}

deploy() {
    local digest
    read_options "$@"
    find_package
    [ -e "$package" ] || fail "$package: is not there; run: xc-lambda package --arch $arch"
    look_around
    digest=$(openssl dgst -sha256 -binary "$package" | base64)
    in_each_region deploy_region
    describe_ffmpeg
    printf 'export AWS_REGION=%q XC_LAMBDA_ACCOUNT=%q XC_LAMBDA_FUNCTION=%q XC_LAMBDA_BUCKET=%q XC_LAMBDA_TOOLS=%q' \
        "${regions[0]}" "$account" "$function" "${buckets[*]}" "$(dirname "$package")/tools.sha256"
    [ ! "$several" ] || printf ' XC_LAMBDA_REGIONS=%q' "${regions[*]}"
    echo
}

deploy_region() {
    local uploaded='' log_groups endpoint
    if [ "$dry_run" ]; then heading; else heading >&2; fi
    endpoint=$("$programs/xc-remote" endpoint s3)
    log_groups=$(our_log_groups || true)
    deploy_bucket
    deploy_role "$role" lambda "$(function_policy)"
    deploy_log_group "$log_group"
    deploy_function "$function" bootstrap provided.al2023 "$arn_role"
    reserve_concurrency
    [ ! "$steps" ] || deploy_steps
    [ ! "$machines" ] || deploy_machines
    note_quota
}

# ---- destroy ----

# remove COMMAND...: like change, but it is no error if the thing does not exist, and a failure does not stop destroy.
remove() {
    local said
    if said=$(change "$@" 2>&1); then
        printf '%s' "${said:+$said$'\n'}"
    elif ! [[ $said =~ NotFound|NoSuch ]]; then
        echo "xc-lambda: ${said##*$'\n'}" >&2
        failures=1
    fi
}

# Removes our objects. If others have put objects there, those and the bucket stay.
remove_bucket() {
    local prefix
    if ! bucket_is_ours && ! bucket_is_unused; then
        echo "xc-lambda: bucket $bucket stays: it does not have the tag excamera=$function" >&2
        failures=1
        return
    fi
    for prefix in data task meet code film; do
        remove aws s3 rm --only-show-errors --recursive "s3://$bucket/$prefix/"
    done
    remove aws s3api delete-bucket "${of_bucket[@]}"
}

remove_role() {
    remove aws iam delete-role-policy --role-name "$1" --policy-name "$function"
    remove aws iam delete-role --role-name "$1"
}

destroy() {
    local failures=0
    read_options "$@"
    look_around
    in_each_region destroy_region
    return "$failures"
}

# The roles of the functions in Python and of the state machines are removed last of what they belong to. So an
# interrupted destroy finds out that there may be more.
destroy_region() {
    local group
    [ ! "$dry_run" ] || heading
    if role_exists "$states_role"; then
        remove_machines
        remove_role "$states_role"
    fi
    if role_exists "$steps_role"; then
        remove_steps
        remove_role "$steps_role"
    fi
    remove aws lambda delete-function --function-name "$function"
    remove_role "$role"
    for group in $(our_log_groups); do
        remove aws logs delete-log-group --log-group-name "$group"
    done
    if bucket_exists; then
        remove_bucket
    fi
}
