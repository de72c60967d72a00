# The part of xc-lambda that encodes a film with the functions in Python: start, status of a film, collect. Names are in
# the variables of xc-lambda.
# shellcheck shell=bash disable=SC2154

# DIRECTORY/.xc-lambda/film has a line: the directory in the bucket, numbers of the first and the last chunk, what
# encodes it (states or relay), and the execution.

# find_chunks DIRECTORY: sets first and last. None may be missing between them.
find_chunks() {
    local names number
    names=("$1"/[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9].y4m)
    [ -e "${names[0]}" ] || fail "$1: has no chunks, such as 00000000.y4m"
    number=${names[0]##*/} first=$((10#${number%.y4m}))
    number=${names[-1]##*/} last=$((10#${number%.y4m}))
    [ "$((last - first + 1))" = "${#names[@]}" ] || fail "$1: of the chunks $first to $last, some are missing"
}

# read_film DIRECTORY: sets prefix, first, last, engine, execution.
read_film() {
    [ -f "$1/.xc-lambda/film" ] || fail "$1: no film has been started here; xc-lambda start does it"
    read -r prefix first last engine execution <"$1/.xc-lambda/film" || true
    [[ $prefix =~ ^film/[A-Za-z0-9-]+/$ && $first =~ ^[0-9]+$ && $last =~ ^[0-9]+$ ]] ||
        fail "$1/.xc-lambda/film: is damaged; remove it and start the film again"
}

# Sets structure, batch, starts, quality, engine and directory.
read_start_options() {
    structure=classic batch=16 starts='' quality=22 engine=states
    while [[ ${1-} = --* ]]; do
        case $1 in
        --structure) structure=${2-}; shift ;;
        --batch) batch=${2-}; shift ;;
        --batch-starts) starts=${2-}; shift ;;
        --quality) quality=${2-}; shift ;;
        --relay) engine=relay ;;
        *) fail "unknown option '$1'" ;;
        esac
        shift || true
    done
    [[ $structure =~ ^(classic|anchored)$ ]] || fail "--structure: '$structure' is neither classic nor anchored"
    [[ $batch =~ ^([1-9][0-9]?|[1-4][0-9]{2}|500)$ ]] || fail "--batch: '$batch' is not from 1 to 500"
    [[ $quality =~ ^([0-9]|[1-5][0-9]|6[0-3])$ ]] || fail "--quality: '$quality' is not from 0 to 63"
    [ "$#" -le 1 ] || fail 'start: takes one directory'
    directory=${1-.}
}

# Stops unless the account has what encodes the film. Sets code to the digest of the functions' package.
check_deployed() {
    bucket_is_ours || fail "bucket $bucket is not ours; XC_LAMBDA_BUCKET names another one"
    code=$(aws lambda get-function-configuration --function-name "$function-relay" --query CodeSha256 2>/dev/null) ||
        fail 'the functions are not deployed; xc-lambda deploy --functions does it'
    [ "$engine" = relay ] || aws stepfunctions describe-state-machine --state-machine-arn "$arn_machine-$structure" \
        >/dev/null 2>&1 || fail 'the state machines are not deployed; xc-lambda deploy --step-functions does it'
}

start() {
    local structure batch starts quality engine directory prefix first last code execution=
    read_start_options "$@"
    find_chunks "$directory"
    "$here/film" list "$first" "$last" "$batch" "$starts" >/dev/null || exit 1
    look_around
    check_deployed
    choose_place
    aws s3 sync --only-show-errors --exclude '*' --include '????????.y4m' "$directory" "s3://$bucket/$prefix"
    "start_$engine"
    mkdir -p "$directory/.xc-lambda"
    echo "$prefix $first $last $engine $execution" >"$directory/.xc-lambda/film"
    echo "started: $bucket/$prefix${execution:+ $execution}"
}

# A film keeps its place in the bucket as long as its chunks, the options and the tools are the same. Then relay goes on
# from what is done.
choose_place() {
    local what
    what=$({ realpath "$directory"; echo "$HOSTNAME $code $starts"; cd "$directory" && stat -c '%n %s %.9Y' -- ????????.y4m; } |
        sha256sum)
    prefix=film/$structure-$batch-$quality-${what:0:16}/
}

start_states() {
    local kind=$structure given
    given=$("$here/film" input "$first" "$last" "$batch" "$starts" "$quality" "$bucket" "$prefix")
    if [[ $given = *'"list":'* ]]; then
        kind=$structure-long
        "$here/film" list "$first" "$last" "$batch" "$starts" |
            aws s3 cp --only-show-errors - "s3://$bucket/${prefix}batches.json"
    fi
    execution=$(aws stepfunctions start-execution --state-machine-arn "$arn_machine-$kind" --input "$given" \
        --name "$EPOCHSECONDS-$RANDOM$RANDOM" --query executionArn)
}

start_relay() {
    local event
    aws s3 rm --only-show-errors --recursive "s3://$bucket/${prefix}failed/"
    # From a file, since versions of the CLI differ in how they read it from the command line.
    event=$(mktemp)
    "$here/film" event "$first" "$last" "$batch" "$starts" "$quality" "$bucket" "$prefix" "$structure" \
        >"$event"
    aws lambda invoke --function-name "$function-relay" --invocation-type Event --payload "fileb://$event" \
        /dev/null >/dev/null
    rm "$event"
}

# count_finished: how many chunks of the film are finished.
count_finished() {
    aws s3api list-objects-v2 "${of_bucket[@]}" --prefix "$prefix" --query 'Contents[].[Key]' |
        grep -cE '/[0-9]{8}\.ivf$' || true
}

# Prints how far the film is. The status is 1 if it has failed.
film_status() {
    local prefix first last engine execution state cause key
    [ "$#" = 1 ] || fail 'status: takes one directory'
    read_film "$1"
    look_around
    echo "$(count_finished) of $((last - first + 1)) chunks are finished"
    if [ "$engine" = states ]; then
        # A tab between the two, and the cause may have others.
        IFS=$'\t' read -r state cause < <(aws stepfunctions describe-execution --execution-arn "$execution" \
            --query '[status,cause]')
        echo "$execution: $state"
        [[ $state = RUNNING || $state = SUCCEEDED ]] || fail "$("$here/film" cause "$cause")"
    else
        for key in $(aws s3api list-objects-v2 "${of_bucket[@]}" --prefix "${prefix}failed/" \
            --query 'Contents[].[Key]' | grep /failed/); do
            fail "${key##*/}: $(aws s3 cp --only-show-errors "s3://$bucket/$key" -)"
        done
    fi
}

collect() {
    local prefix first last engine execution finished
    [ "$#" -le 1 ] || fail 'collect: takes one directory'
    read_film "${1-.}"
    look_around
    finished=$(count_finished)
    [ "$finished" = "$((last - first + 1))" ] ||
        fail "$finished of $((last - first + 1)) chunks are finished; xc-lambda status ${1-.} says more"
    aws s3 cp --only-show-errors --recursive --exclude '*' --include '????????.ivf' "s3://$bucket/$prefix" "${1-.}"
}
