# The part of xc-lambda that creates and removes the functions in Python (lambda/functions/) and the state machines that
# call them. Names and options are in the variables of xc-lambda.
# shellcheck shell=bash disable=SC2154

step_functions='vpxenc xcdec group reencode rebase anchors follow relay'
machine_kinds='classic classic-long anchored anchored-long'

# The functions may read and write the films' files and write their logs. relay may send itself events.
steps_policy() {
    policy_of "$(allow "$arn_s3/film/*" 's3:GetObject s3:PutObject' "$(of_account)")" \
        "$(allow "$arn_s3" s3:ListBucket "$(of_account)")" \
        "$(allow "$arn_log-*" 'logs:CreateLogStream logs:PutLogEvents')" \
        "$(allow "$arn_function-relay" lambda:InvokeFunction)"
}

# The state machines may call the functions. Those for long films read lists of batches and write what has failed, and
# start executions of themselves.
states_policy() {
    policy_of "$(allow "$arn_function-*" lambda:InvokeFunction)" \
        "$(allow "$arn_s3/film/*" 's3:GetObject s3:PutObject' "$(of_account)")" \
        "$(allow "$arn_machine-*" states:StartExecution)" \
        "$(allow "${arn_machine/:stateMachine:/:execution:}-*" 'states:DescribeExecution states:StopExecution')"
}

# The functions have the same package as the other one.
deploy_steps() {
    local name
    deploy_role "$steps_role" lambda "$(steps_policy)"
    for name in $step_functions; do
        deploy_log_group "$log_group-$name"
        deploy_function "$function-$name" "functions/$name.handler" python3.13 "$arn_steps_role"
    done
    allow_recursion
}

# Lambda stops a function that has caused itself about 16 times, as relay does in every long batch, unless it is told
# that this is meant.
allow_recursion() {
    change aws lambda put-function-recursion-config --function-name "$function-relay" --recursive-loop Allow \
        2>/dev/null ||
        echo "xc-lambda: this AWS CLI cannot tell Lambda that $function-relay may call itself, without which films" \
            "stop after 16 steps: take a newer one, or set Recursive loop detection to Allow in the console" >&2
}

# IAM may not know a new role everywhere for some seconds, and a machine of that name may not be gone yet.
deploy_machines() {
    local kind definition settle='not authorized to assume|AccessDenied|StateMachineDeleting'
    deploy_role "$states_role" states "$(states_policy)"
    for kind in $machine_kinds; do
        definition=$("$here/film" definition "$kind" "$function" "$partition")
        if aws stepfunctions describe-state-machine --state-machine-arn "$arn_machine-$kind" >/dev/null 2>&1; then
            patiently "$settle" aws stepfunctions update-state-machine --state-machine-arn "$arn_machine-$kind" \
                --definition "$definition" --role-arn "$arn_states_role"
        else
            patiently "$settle" aws stepfunctions create-state-machine --name "$function-$kind" \
                --definition "$definition" --role-arn "$arn_states_role"
        fi
    done
}

status_of_functions() {
    if role_exists "$steps_role"; then
        echo "functions $function-{${step_functions// /,}}: are there"
    fi
    if role_exists "$states_role"; then
        echo "state machines $function-{${machine_kinds// /,}}: are there"
    fi
}

remove_machines() {
    local kind
    for kind in $machine_kinds; do
        remove aws stepfunctions delete-state-machine --state-machine-arn "$arn_machine-$kind"
    done
}

remove_steps() {
    local name
    for name in $step_functions; do
        remove aws lambda delete-function --function-name "$function-$name"
    done
}
