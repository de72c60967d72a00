# The local engine with a clock: what each step took goes to timings.tsv, for bench/latency-model.py.
# make -f excamera.mk ENGINE_DIR=.../bench ENGINE=local-timed
run = python3 -IS $(ENGINE_DIR)/timed-step timings.tsv '$(1)' '$(2)'
